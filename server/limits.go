package server

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limits bounds what callers ask, one bucket for each caller and class.
type limits struct {
	rates   map[Class]Rate
	mu      sync.RWMutex
	buckets map[bucketKey]*rate.Limiter
}

type bucketKey struct {
	caller string
	class  Class
}

// maxBuckets bounds the memory that strangers can take.
const maxBuckets = 20_000

func newLimits(o *Options) *limits {
	return &limits{rates: o.Rates, buckets: map[bucketKey]*rate.Limiter{}}
}

// charge takes so many and gives zero, or says how long it takes until they are there.
// More than the bucket ever holds are taken as a full bucket.
func (l *limits) charge(caller string, class Class, n int, now time.Time) time.Duration {
	b := l.bucket(bucketKey{caller, class}, now)
	n = min(n, b.Burst())
	if b.AllowN(now, n) {
		return 0
	}
	r := b.ReserveN(now, n)
	if !r.OK() {
		return time.Hour // a burst of zero: never
	}
	wait := r.DelayFrom(now)
	r.CancelAt(now)
	return max(wait, time.Millisecond)
}

func (l *limits) bucket(k bucketKey, now time.Time) *rate.Limiter {
	l.mu.RLock()
	b := l.buckets[k]
	l.mu.RUnlock()
	if b != nil {
		return b
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b = l.buckets[k]; b != nil {
		return b
	}
	if len(l.buckets) >= maxBuckets {
		l.evict(now)
	}
	set := l.rates[k.class]
	b = rate.NewLimiter(rate.Limit(set.PerSecond), set.Burst)
	l.buckets[k] = b
	return b
}

// evict makes room: buckets that are full again say nothing. Where all are in use, which
// is an attack, some go at random, and their owners begin anew.
func (l *limits) evict(now time.Time) {
	for k, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, k)
		}
	}
	for k := range l.buckets {
		if len(l.buckets) < maxBuckets*9/10 {
			return
		}
		delete(l.buckets, k)
	}
}
