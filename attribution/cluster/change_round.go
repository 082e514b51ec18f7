package cluster

// The powers of ten that count as round, in satoshi.
const (
	leastPower = 2
	mostPower  = 7
)

// PowerOfTen votes against outputs that are rounder than the least round one: people
// choose what they pay, and change is what is left. Round is a multiple of 10^2 to 10^7
// satoshi, and the higher power is the rounder.
var PowerOfTen = &Feature{
	Name: "power-of-ten", Title: "less round than another output", Source: moser, Weight: 2,
	votes: func(q *question) []int8 {
		least := mostPower
		for i := range q.open {
			if q.open[i] {
				least = min(least, power(q.tx.Outputs[i].Value))
			}
		}
		return q.vote(-1, func(i int) bool { return power(q.tx.Outputs[i].Value) > least })
	},
}

// power is the highest power of ten from 10^2 to 10^7 that divides a value, 0 where
// none does.
func power(value uint64) (p int) {
	for p < mostPower && value%10 == 0 {
		value /= 10
		p++
	}
	if p < leastPower {
		return 0
	}
	return p
}
