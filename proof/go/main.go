// Judges histories of Grantor's store: whether there is an order of all calls, consistent with when each began and
// ended, in which every answer is right. Reads one call per line (JSON) from standard input. Exit code 0: there is;
// 1: there is none, and the code concerned is printed with its calls; 2: the history cannot be read or judged.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// A line is one call. Times are nanoseconds of one monotonic clock; Return is absent when no answer came.
type line struct {
	Code       int    `json:"code"`
	Worker     int    `json:"worker"`
	Op         string `json:"op"`
	Grant      int    `json:"grant"`
	Generation int    `json:"generation"`
	Now        int    `json:"now"`
	Grace      int    `json:"grace"`
	Call       int64  `json:"call"`
	Return     *int64 `json:"return"`
	Result     string `json:"result"`
	At         int    `json:"at"`
}

// More than any history needs that the harness makes.
const patience = 2 * time.Minute

var verbs = map[string]bool{"redeem": true, "rotate": true, "revoke": true, "introspect": true}

func main() {
	histories, err := read(os.Stdin)
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	calls, unknown := 0, 0
	for _, code := range codes(histories) {
		history := histories[code]
		calls += len(history)
		for _, call := range history {
			if call.Output.(output).Result == "" {
				unknown++
			}
		}
		switch porcupine.CheckOperationsTimeout(model, history, patience) {
		case porcupine.Ok:
		case porcupine.Illegal:
			fmt.Printf("code %d: no order of its calls explains their answers\n", code)
			for _, call := range history {
				fmt.Printf("  %d..%d worker %d: %s\n", call.Call, call.Return, call.ClientId,
					model.DescribeOperation(call.Input, call.Output))
			}
			os.Exit(1)
		default:
			fmt.Printf("code %d: not judged within %v\n", code, patience)
			os.Exit(2)
		}
	}
	fmt.Printf("linearizable: %d calls on %d codes, %d without an answer\n", calls, len(histories), unknown)
}

func read(from io.Reader) (map[int][]porcupine.Operation, error) {
	histories := map[int][]porcupine.Operation{}
	lines := bufio.NewScanner(from)
	for number := 1; lines.Scan(); number++ {
		var call line
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if !verbs[call.Op] {
			return nil, fmt.Errorf("line %d: there is no verb %q", number, call.Op)
		}
		if (call.Return == nil) != (call.Result == "") {
			return nil, fmt.Errorf("line %d: an answer has a time and a result, or neither", number)
		}
		end := int64(math.MaxInt64)
		if call.Return != nil {
			end = *call.Return
		}
		histories[call.Code] = append(histories[call.Code], porcupine.Operation{
			ClientId: call.Worker,
			Input: input{
				Op: call.Op, Grant: call.Grant, Generation: call.Generation, Now: call.Now, Grace: call.Grace,
			},
			Call:   call.Call,
			Output: output{Result: call.Result, At: call.At},
			Return: end,
		})
	}
	if lines.Err() == nil && len(histories) == 0 {
		return nil, errors.New("the history is empty")
	}
	return histories, lines.Err()
}

func codes(histories map[int][]porcupine.Operation) []int {
	var found []int
	for code := range histories {
		found = append(found, code)
	}
	sort.Ints(found)
	return found
}
