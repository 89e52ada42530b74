package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// An input is one call of a verb. Every redemption of a code brings a candidate for its grant: Grant says which.
type input struct {
	Op         string
	Grant      int
	Generation int
	Now        int
	Grace      int
}

// An output is what the verb said. Without a Result nobody knows: the call may have had its effect or not.
type output struct {
	Result string
	At     int
}

// A state is one code and the grant that it gave. Written from the RFCs and the documents, not from the code: RFC 6749
// 4.1.2 (a code is spent once, its second use revokes what the first gave), RFC 9700 4.14.2 (rotation, reuse; with a
// window of grace for the generation that was just replaced), RFC 7009 2.1 (what was revoked stays so).
type state struct {
	Spent      bool
	Grant      int
	Generation int
	Rotated    int
	Revoked    bool
}

// Whether two clocks, of which neither is right, are less than the window apart.
func near(now, rotated, grace int) bool {
	return now < rotated+grace && rotated < now+grace
}

func step(before state, in input) (state, output) {
	after := before
	if in.Op == "redeem" {
		if before.Spent {
			after.Revoked = true
			return after, output{Result: "spent", At: before.Grant}
		}
		return state{Spent: true, Grant: in.Grant}, output{Result: "fresh", At: in.Grant}
	}
	exists := before.Spent && before.Grant == in.Grant
	switch in.Op {
	case "rotate":
		switch {
		case !exists:
			return before, output{Result: "unknown"}
		case before.Revoked:
			return before, output{Result: "revoked"}
		case in.Generation > before.Generation:
			return before, output{Result: "unknown"}
		case in.Generation == before.Generation:
			after.Generation++
			after.Rotated = in.Now
			return after, output{Result: "rotated", At: after.Generation}
		case in.Generation+1 == before.Generation && near(in.Now, before.Rotated, in.Grace):
			return before, output{Result: "repeated", At: before.Generation}
		default:
			after.Revoked = true
			return after, output{Result: "reused"}
		}
	case "revoke":
		if !exists || before.Revoked {
			return before, output{Result: "fallen"}
		}
		after.Revoked = true
		return after, output{Result: "stood"}
	case "introspect":
		if !exists || before.Revoked {
			return before, output{Result: "revoked"}
		}
		return before, output{Result: "good", At: before.Generation}
	}
	panic("no such verb: " + in.Op)
}

var model = porcupine.Model{
	Init: func() interface{} { return state{} },
	Step: func(before, in, out interface{}) (bool, interface{}) {
		after, wanted := step(before.(state), in.(input))
		found := out.(output)
		return found.Result == "" || found == wanted, after
	},
	DescribeOperation: func(in, out interface{}) string {
		return fmt.Sprintf("%+v -> %+v", in, out)
	},
}
