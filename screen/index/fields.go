package index

import (
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
)

// A field is how one field of a fact is compared, written and read. Fields that are
// empty are not written.
type field struct {
	empty   func(*exposure.Fact) bool
	compare func(a, b *exposure.Fact) int
	write   func(*writer, *exposure.Fact)
	read    func(*reader, *exposure.Fact)
}

// fields lists those of exposure.Fact in its order, but for the evidence, which follows
// them. A fact is written as one bit for each that is not empty, and then those.
var fields = [...]field{
	textField(func(f *exposure.Fact) *exposure.Kind { return &f.Kind }),
	textField(func(f *exposure.Fact) *exposure.Direction { return &f.Direction }),
	textField(func(f *exposure.Fact) *string { return &f.Chain }),
	textField(func(f *exposure.Fact) *string { return &f.Category }),
	textField(func(f *exposure.Fact) *string { return &f.Entity }),
	{ // the bit says it all
		empty:   func(f *exposure.Fact) bool { return !f.Sanction },
		compare: compareSanction,
		write:   func(*writer, *exposure.Fact) {},
		read:    func(_ *reader, f *exposure.Fact) { f.Sanction = true },
	},
	textField(func(f *exposure.Fact) *string { return &f.Authority }),
	numberField(func(f *exposure.Fact) *uint8 { return &f.Confidence }),
	numberField(func(f *exposure.Fact) *uint32 { return &f.Certainty }),
	textField(func(f *exposure.Fact) *string { return &f.Incident }),
	textField(func(f *exposure.Fact) *string { return &f.Colour }),
	textField(func(f *exposure.Fact) *ledger.Asset { return &f.Asset }),
	amountField(func(f *exposure.Fact) *exposure.Decimal { return &f.Amount }),
	amountField(func(f *exposure.Fact) *exposure.Decimal { return &f.Held }),
	amountField(func(f *exposure.Fact) *exposure.Decimal { return &f.Origin }),
	amountField(func(f *exposure.Fact) *exposure.Decimal { return &f.Total }),
	numberField(func(f *exposure.Fact) *uint32 { return &f.Share }),
	numberField(func(f *exposure.Fact) *uint32 { return &f.Hops }),
	numberField(func(f *exposure.Fact) *int64 { return &f.From }),
	numberField(func(f *exposure.Fact) *int64 { return &f.To }),
	numberField(func(f *exposure.Fact) *int64 { return &f.Learned }),
	textField(func(f *exposure.Fact) *string { return &f.Claim }),
	textField(func(f *exposure.Fact) *string { return &f.By }),
	textField(func(f *exposure.Fact) *string { return &f.Source }),
	textField(func(f *exposure.Fact) *string { return &f.Rule }),
	textField(func(f *exposure.Fact) *string { return &f.About }),
}

func textField[T ~string](of func(*exposure.Fact) *T) field {
	return field{
		empty:   func(f *exposure.Fact) bool { return *of(f) == "" },
		compare: compareBy(of),
		write:   func(w *writer, f *exposure.Fact) { w.text(string(*of(f))) },
		read:    func(r *reader, f *exposure.Fact) { *of(f) = T(r.text()) },
	}
}

func numberField[T ~uint8 | ~uint32 | ~int64](of func(*exposure.Fact) *T) field {
	return field{
		empty:   func(f *exposure.Fact) bool { return *of(f) == 0 },
		compare: compareBy(of),
		write:   func(w *writer, f *exposure.Fact) { w.number(uint64(*of(f))) },
		read:    func(r *reader, f *exposure.Fact) { *of(f) = T(r.number()) },
	}
}

func amountField(of func(*exposure.Fact) *exposure.Decimal) field {
	return field{
		empty:   func(f *exposure.Fact) bool { return of(f).IsZero() },
		compare: func(a, b *exposure.Fact) int { return of(a).Cmp(&of(b).Amount) },
		write:   func(w *writer, f *exposure.Fact) { w.amount(&of(f).Amount) },
		read:    func(r *reader, f *exposure.Fact) { r.amount(&of(f).Amount) },
	}
}

func compareSanction(a, b *exposure.Fact) int {
	switch {
	case a.Sanction == b.Sanction:
		return 0
	case b.Sanction:
		return -1
	}
	return 1
}
