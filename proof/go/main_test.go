package main

import (
	"strings"
	"testing"

	"github.com/anishathalye/porcupine"
)

func judge(t *testing.T, history string) bool {
	t.Helper()
	histories, err := read(strings.NewReader(strings.TrimSpace(history)))
	if err != nil {
		t.Fatal(err)
	}
	for _, calls := range histories {
		if !porcupine.CheckOperations(model, calls) {
			return false
		}
	}
	return true
}

const redeemed = `{"code":1,"op":"redeem","grant":0,"call":0,"return":1,"result":"fresh","at":0}
`

func TestARightHistoryIsAccepted(t *testing.T) {
	right := redeemed + `
{"code":1,"op":"introspect","grant":0,"call":2,"return":3,"result":"good","at":0}
{"code":1,"op":"rotate","grant":0,"generation":0,"now":5,"grace":30,"call":4,"return":9,"result":"repeated","at":1}
{"code":1,"op":"rotate","grant":0,"generation":0,"now":5,"grace":30,"call":4,"return":9,"result":"rotated","at":1}
{"code":1,"op":"rotate","grant":1,"generation":0,"now":5,"grace":30,"call":4,"return":9,"result":"unknown"}
{"code":1,"op":"rotate","grant":0,"generation":0,"now":35,"grace":30,"call":10,"return":11,"result":"reused"}
{"code":1,"op":"revoke","grant":0,"call":12,"return":13,"result":"fallen"}
{"code":1,"op":"redeem","grant":1,"call":14,"return":15,"result":"spent","at":0}
{"code":1,"op":"introspect","grant":0,"call":16,"return":17,"result":"revoked"}`
	if !judge(t, strings.ReplaceAll(right, "\n\n", "\n")) {
		t.Error("refused")
	}
}

// The revoke may have had its effect at any time, or never.
func TestWhatHadNoAnswerMayHaveHappenedOrNot(t *testing.T) {
	revoke := redeemed + `{"code":1,"op":"revoke","grant":0,"call":2}
`
	for _, seen := range []string{`"good","at":0`, `"revoked"`} {
		if !judge(t, revoke+`{"code":1,"op":"introspect","grant":0,"call":5,"return":6,"result":`+seen+`}`) {
			t.Error("refused", seen)
		}
	}
	back := `{"code":1,"op":"introspect","grant":0,"call":5,"return":6,"result":"revoked"}
{"code":1,"op":"introspect","grant":0,"call":7,"return":8,"result":"good","at":0}`
	if judge(t, revoke+back) {
		t.Error("a grant came back to life")
	}
}

func TestPlantedBugsAreFound(t *testing.T) {
	bugs := map[string]string{
		"double spend": `{"code":1,"op":"redeem","grant":1,"call":0,"return":2,"result":"fresh","at":1}`,
		"refresh after revoke": `{"code":1,"op":"revoke","grant":0,"call":2,"return":3,"result":"stood"}
{"code":1,"op":"rotate","grant":0,"generation":0,"now":0,"grace":30,"call":4,"return":5,"result":"rotated","at":1}`,
		"stale read after revoke": `{"code":1,"op":"revoke","grant":0,"call":2,"return":3,"result":"stood"}
{"code":1,"op":"introspect","grant":0,"call":4,"return":5,"result":"good","at":0}`,
		"two successors": `{"code":1,"op":"rotate","grant":0,"generation":0,"now":0,"grace":30,"call":2,"return":9,"result":"rotated","at":1}
{"code":1,"op":"rotate","grant":0,"generation":0,"now":0,"grace":30,"call":3,"return":9,"result":"rotated","at":1}`,
		"a lost rotation": `{"code":1,"op":"rotate","grant":0,"generation":0,"now":0,"grace":30,"call":2,"return":3,"result":"rotated","at":1}
{"code":1,"op":"introspect","grant":0,"call":4,"return":5,"result":"good","at":0}`,
		"repeated without grace": `{"code":1,"op":"rotate","grant":0,"generation":0,"now":0,"grace":0,"call":2,"return":3,"result":"rotated","at":1}
{"code":1,"op":"rotate","grant":0,"generation":0,"now":0,"grace":0,"call":4,"return":5,"result":"repeated","at":1}`,
		"repeated by a clock that was put back": `{"code":1,"op":"rotate","grant":0,"generation":0,"now":40,"grace":30,"call":2,"return":3,"result":"rotated","at":1}
{"code":1,"op":"rotate","grant":0,"generation":0,"now":0,"grace":30,"call":4,"return":5,"result":"repeated","at":1}`,
		"two that stood": `{"code":1,"op":"revoke","grant":0,"call":2,"return":9,"result":"stood"}
{"code":1,"op":"revoke","grant":0,"call":3,"return":9,"result":"stood"}`,
	}
	for name, bug := range bugs {
		if judge(t, redeemed+bug) {
			t.Error("not found:", name)
		}
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	for _, bad := range []string{
		``, `{`, `{"code":1,"op":"forget","call":0}`, `{"code":1,"op":"redeem","call":0,"return":1}`,
		`{"code":1,"op":"redeem","call":0,"result":"fresh"}`,
	} {
		if _, err := read(strings.NewReader(bad)); err == nil {
			t.Error("read:", bad)
		}
	}
}
