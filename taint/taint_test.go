package taint_test

import (
	"testing"

	"pgregory.net/rapid"

	"coldtrail/ledger"
	"coldtrail/taint"
)

func amount(t *testing.T, text string) ledger.Amount {
	t.Helper()
	a, err := ledger.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestHaircutInWei draws from a pool of wei: the products need more than 128 bits.
func TestHaircutInWei(t *testing.T) {
	palette := taint.NewPalette()
	a := palette.Class(taint.Paint{Colour: "case/a", Score: taint.Fact})
	pool := taint.NewPool(taint.Haircut, palette)
	stolen := amount(t, "333333333333333333")
	pool.Add([]taint.Lot{taint.CleanLot(amount(t, "666666666666666667")), {Class: a, Amount: stolen, Origin: stolen}})
	want := amount(t, "100000000000000007")
	drawn, shortfall := pool.Draw(nil, &want)
	if len(drawn) != 2 || drawn[0].Amount.Dec() != "33333333333333336" || drawn[1].Amount.Dec() != "66666666666666671" || !shortfall.IsZero() {
		t.Errorf("drew %v, short of %s", drawn, shortfall.Dec())
	}
	left := pool.Lots()
	if len(left) != 2 || left[0].Amount.Dec() != "299999999999999997" || left[1].Amount.Dec() != "599999999999999996" {
		t.Errorf("left %v", left)
	}
}

// TestSplitOrigins takes 3, 3 and 1 out of a lot of 7 that stands for 10.
func TestSplitOrigins(t *testing.T) {
	palette := taint.NewPalette()
	a := palette.Class(taint.Paint{Colour: "case/a", Score: taint.Fact})
	for _, method := range []*taint.Method{taint.FIFO, taint.LIFO, taint.Haircut, taint.Seniority, taint.TIHO} {
		pool := taint.NewPool(method, palette)
		pool.Add([]taint.Lot{{Class: a, Amount: ledger.NewAmount(7), Origin: ledger.NewAmount(10)}})
		for _, step := range [][2]uint64{{3, 4}, {3, 4}, {1, 2}} {
			want := ledger.NewAmount(step[0])
			drawn, _ := pool.Draw(nil, &want)
			if len(drawn) != 1 || drawn[0].Amount != want || drawn[0].Origin != ledger.NewAmount(step[1]) {
				t.Errorf("%s: drew %v, want %v", method.Name, drawn, step)
			}
		}
	}
}

// TestConvertConserves converts random lots: origins stay, amounts add up to what
// was received, and what rounds to nothing is returned apart.
func TestConvertConserves(t *testing.T) {
	palette := taint.NewPalette()
	a := palette.Class(taint.Paint{Colour: "case/a", Score: taint.Fact})
	rapid.Check(t, func(rt *rapid.T) {
		c := taint.Conversion{Received: ledger.NewAmount(rapid.Uint64Range(0, 1000).Draw(rt, "received"))}
		var origins ledger.Amount
		for range rapid.IntRange(1, 8).Draw(rt, "lots") {
			lot := taint.CleanLot(ledger.NewAmount(rapid.Uint64Range(1, 1000).Draw(rt, "amount")))
			if rapid.Bool().Draw(rt, "tainted") {
				lot.Class, lot.Origin = a, ledger.NewAmount(rapid.Uint64Range(0, 1000).Draw(rt, "origin"))
				origins.Add(&origins, &lot.Origin)
			}
			c.Lots = append(c.Lots, lot)
		}
		c.Given = taint.Sum(c.Lots)
		converted, rounded := c.Convert()
		var after ledger.Amount
		for _, lots := range [][]taint.Lot{converted, rounded} {
			for i := range lots {
				after.Add(&after, &lots[i].Origin)
			}
		}
		if sum := taint.Sum(converted); sum != c.Received || after != origins {
			rt.Fatalf("received %s as %s, origins %s became %s", c.Received.Dec(), sum.Dec(), origins.Dec(), after.Dec())
		}
	})
}

// TestInference multiplies certainties, rounding down, and never forgets.
func TestInference(t *testing.T) {
	palette := taint.NewPalette()
	fact := palette.Class(taint.Paint{Colour: "case/a", Score: taint.Fact})
	once := palette.Infer(fact, 9999, "one")
	twice := palette.Infer(once, 3333, "two")
	if got := palette.Paint(twice); got != (taint.Paint{Colour: "case/a", Score: 3332, By: "one+two"}) {
		t.Errorf("%+v", got)
	}
	if palette.Compare(fact, once) >= 0 || palette.Compare(once, taint.Clean) >= 0 || palette.Infer(taint.Clean, 5, "x") != taint.Clean {
		t.Error("facts come before inferences, and clean is last and stays clean")
	}
}
