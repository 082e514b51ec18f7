package server

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"coldtrail/screen/exposure"
)

// metrics counts what happens, in a registry of the server's own.
type metrics struct {
	registry *prometheus.Registry
	handler  http.Handler
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	verdicts [6]prometheus.Counter // by outcome, the last for none that is known

	inFlight                               atomic.Int64
	panics, cut, refused, limited, unheard prometheus.Counter
	dropped                                prometheus.Counter
	streams                                atomic.Int64
}

func newMetrics(s *Server) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "coldtrail_" + name + "_total", Help: help})
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, value func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "coldtrail_" + name, Help: help}, value))
	}
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "coldtrail_http_requests_total", Help: "Requests by route and status."}, []string{"route", "status"})
	m.latency = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "coldtrail_http_request_seconds", Help: "Time from the request's header to the end of the answer, by route.",
		Buckets: []float64{.00002, .00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .1, .25, 1, 5, 30},
	}, []string{"route"})
	outcomes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "coldtrail_verdicts_total", Help: "Verdicts by outcome."}, []string{"outcome"})
	m.registry.MustRegister(m.requests, m.latency, outcomes, &states{server: s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for i, outcome := range exposure.Outcomes {
		m.verdicts[i] = outcomes.WithLabelValues(string(outcome))
	}
	m.verdicts[len(m.verdicts)-1] = outcomes.WithLabelValues("other")
	m.panics = counter("panics", "Requests that met a mistake of the program.")
	m.cut = counter("http_cut", "Answers that were cut off because of such a mistake.")
	m.refused = counter("credentials_refused", "Requests without right credentials.")
	m.limited = counter("rate_limited", "Requests that were more than their caller may ask.")
	m.unheard = counter("audit_failures", "Answers that could not be written to the audit log.")
	m.dropped = counter("streams_dropped", "Readers of the stream of alerts that were too slow.")
	gauge("http_in_flight", "Requests that are being answered.", func() float64 { return float64(m.inFlight.Load()) })
	gauge("streams", "Readers of the stream of alerts.", func() float64 { return float64(m.streams.Load()) })
	gauge("batches", "Batches that are being answered.", func() float64 { return float64(len(s.batches)) })
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
	return m
}

// counters are those of one route, found once and not at every request.
type counters struct {
	route    string
	requests *prometheus.CounterVec
	latency  prometheus.Observer
	usual    prometheus.Counter // of status 200
}

func (m *metrics) of(r *Route) *counters {
	route := r.Method + " " + r.Pattern
	return &counters{route, m.requests, m.latency.WithLabelValues(route), m.requests.WithLabelValues(route, "200")}
}

func (c *counters) observe(status int, took time.Duration) {
	c.latency.Observe(took.Seconds())
	switch status {
	case http.StatusOK, 0:
		c.usual.Inc()
	default:
		c.requests.WithLabelValues(c.route, strconv.Itoa(status)).Inc()
	}
}

// verdict counts a verdict.
func (m *metrics) verdict(outcome exposure.Outcome) { m.verdicts[outcomeNumber(outcome)].Inc() }

func outcomeNumber(outcome exposure.Outcome) int {
	for i := range exposure.Outcomes {
		if exposure.Outcomes[i] == outcome {
			return i
		}
	}
	return len(exposure.Outcomes)
}

// states tells what is so now: ages and queues.
type states struct{ server *Server }

var (
	headAge    = prometheus.NewDesc("coldtrail_head_age_seconds", "Age of what is known of a chain.", []string{"chain"}, nil)
	headHeight = prometheus.NewDesc("coldtrail_head_height", "Height of the newest block that counts.", []string{"chain"}, nil)
	queueNow   = prometheus.NewDesc("coldtrail_queue_length", "Work that waits.", []string{"queue"}, nil)
	queueRoom  = prometheus.NewDesc("coldtrail_queue_capacity", "How much work can wait.", []string{"queue"}, nil)
)

// Describe implements prometheus.Collector.
func (c *states) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{headAge, headHeight, queueNow, queueRoom} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *states) Collect(out chan<- prometheus.Metric) {
	s := c.server
	if view := s.view(); view != nil {
		now := s.clock().Unix()
		for chain, head := range view.Basis().Heads {
			out <- prometheus.MustNewConstMetric(headAge, prometheus.GaugeValue, float64(ageOf(head, now)), chain)
			out <- prometheus.MustNewConstMetric(headHeight, prometheus.GaugeValue, float64(head.Height), chain)
		}
	}
	if s.parts.Health == nil {
		return
	}
	for _, q := range s.parts.Health.Queues() {
		out <- prometheus.MustNewConstMetric(queueNow, prometheus.GaugeValue, float64(q.Length), q.Name)
		out <- prometheus.MustNewConstMetric(queueRoom, prometheus.GaugeValue, float64(q.Capacity), q.Name)
	}
}

// serveMetrics answers in Prometheus' text format.
func serveMetrics(x *exchange) { x.metrics.handler.ServeHTTP(x, x.request) }
