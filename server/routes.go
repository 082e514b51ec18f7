package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Class says which of a caller's rates a request is counted by.
type Class string

// The classes.
const (
	ClassScreening  Class = "screening"  // verdicts about now, counted in questions
	ClassHistoric   Class = "historic"   // verdicts and holdings of another time, counted in questions
	ClassReading    Class = "reading"    // what stores and casebooks answer
	ClassWriting    Class = "writing"    // what people change
	ClassGuarding   Class = "guarding"   // uses of venues
	ClassStreaming  Class = "streaming"  // streams that begin
	ClassStranger   Class = "stranger"   // who needs no key, by network address
	ClassCredential Class = "credential" // what was refused for its credentials, by network address
	ClassFree       Class = ""           // is not counted
)

// A Route is one thing that can be asked.
type Route struct {
	Method  string
	Pattern string // as net/http writes it
	// Role is the least that may ask; Nobody needs no credentials.
	Role  Role
	Class Class
	// Part is what has to be wired for it; empty where nothing has to.
	Part string
	// Dialect is how errors are told.
	Dialect Dialect

	answer func(*exchange)
}

// Dialect is the form of errors.
type Dialect uint8

// The dialects. All but the first belong to other services whose place this one takes.
const (
	Problem     Dialect = iota // RFC 9457
	Chainalysis                // {"message":…}; 403 where a rate is exceeded or no key is sent
	Entity                     // Chainalysis' risk API: {"status":…,"error":…,"message":…}
	TRM                        // problem documents; successes are 201
)

// Routes is everything that can be asked. The document openapi.yaml has the same routes,
// which a test checks.
var Routes = []Route{
	{"GET", "/v1/screen", Viewer, ClassScreening, "screening", Problem, screenOne},
	{"POST", "/v1/screen", Viewer, ClassFree, "screening", Problem, screenMany}, // counts its questions itself

	{"GET", "/api/v1/address/{address}", Viewer, ClassScreening, "screening", Chainalysis, sanctionsOf},
	{"GET", "/api/risk/v2/entities/{address}", Viewer, ClassScreening, "screening", Entity, riskOf},
	{"POST", "/public/v1/sanctions/screening", Viewer, ClassFree, "screening", TRM, areSanctioned},
	{"POST", "/rpc/{chain}", Viewer, ClassFree, "screening", Problem, oracle},

	{"GET", "/v1/blocklists", Viewer, ClassReading, "blocklists", Problem, listBlocklists},
	{"GET", "/v1/blocklists/{name}", Viewer, ClassReading, "blocklists", Problem, getBlocklist},

	{"GET", "/v1/alerts", Viewer, ClassReading, "alerts", Problem, listAlerts},
	{"GET", "/v1/alerts/{id}", Viewer, ClassReading, "alerts", Problem, getAlert},
	{"GET", "/v1/events", Viewer, ClassStreaming, "alerts", Problem, streamEvents},

	{"GET", "/v1/subscriptions", Viewer, ClassReading, "subscriptions", Problem, listSubscriptions},
	{"PUT", "/v1/subscriptions/{id}", Analyst, ClassWriting, "subscriptions", Problem, putSubscription},
	{"DELETE", "/v1/subscriptions/{id}", Analyst, ClassWriting, "subscriptions", Problem, endSubscription},
	{"GET", "/v1/targets", Analyst, ClassReading, "subscriptions", Problem, listTargets},
	{"PUT", "/v1/targets/{id}", Operator, ClassWriting, "subscriptions", Problem, putTarget},
	{"DELETE", "/v1/targets/{id}", Operator, ClassWriting, "subscriptions", Problem, endTarget},

	{"GET", "/v1/watchlists", Viewer, ClassReading, "watchlists", Problem, listWatchLists},
	{"GET", "/v1/watchlists/{id}", Viewer, ClassReading, "watchlists", Problem, getWatchList},
	{"PUT", "/v1/watchlists/{id}", Analyst, ClassWriting, "watchlists", Problem, putWatchList},
	{"DELETE", "/v1/watchlists/{id}", Analyst, ClassWriting, "watchlists", Problem, endWatchList},
	{"GET", "/v1/watchlists/{id}/members", Viewer, ClassReading, "watchlists", Problem, listMembers},
	{"POST", "/v1/watchlists/{id}/members", Analyst, ClassWriting, "watchlists", Problem, changeMembers},

	{"GET", "/v1/venues", Viewer, ClassReading, "venues", Problem, listVenues},
	{"GET", "/v1/venues/{id}", Viewer, ClassReading, "venues", Problem, getVenue},
	{"PUT", "/v1/venues/{id}", Operator, ClassWriting, "venues", Problem, putVenue},
	{"POST", "/v1/venues/{id}/events", Analyst, ClassFree, "venues", Problem, postUses}, // counts its events itself
	{"PUT", "/v1/venues/{id}/override", Operator, ClassWriting, "venues", Problem, putOverride},
	{"GET", "/v1/venues/{id}/decisions", Viewer, ClassReading, "venues", Problem, listDecisions},

	{"GET", "/v1/policy", Viewer, ClassReading, "policies", Problem, getPolicy},
	{"POST", "/v1/policy", Analyst, ClassWriting, "policies", Problem, tryPolicy},
	{"PUT", "/v1/policy", Operator, ClassWriting, "policies", Problem, putPolicy},

	{"GET", "/v1/cases", Viewer, ClassReading, "cases", Problem, listCases},
	{"GET", "/v1/cases/{id}", Viewer, ClassReading, "cases", Problem, getCase},
	{"PUT", "/v1/cases/{id}", Analyst, ClassWriting, "cases", Problem, putCase},
	{"GET", "/v1/cases/{id}/notes", Viewer, ClassReading, "cases", Problem, listNotes},
	{"POST", "/v1/cases/{id}/notes", Analyst, ClassWriting, "cases", Problem, postNote},

	{"GET", "/v1/jobs", Viewer, ClassReading, "jobs", Problem, listJobs},
	{"POST", "/v1/jobs", Analyst, ClassWriting, "jobs", Problem, postJob},
	{"GET", "/v1/jobs/{id}", Viewer, ClassReading, "jobs", Problem, getJob},
	{"DELETE", "/v1/jobs/{id}", Analyst, ClassWriting, "jobs", Problem, endJob},
	{"GET", "/v1/jobs/{id}/result", Viewer, ClassReading, "jobs", Problem, getJobResult},
	{"GET", "/v1/cases/{id}/trace", Viewer, ClassReading, "desk", Problem, getTrace},
	{"GET", "/v1/cases/{id}/summary", Viewer, ClassReading, "desk", Problem, getCaseSummary},
	{"GET", "/v1/cases/{id}/places", Viewer, ClassReading, "desk", Problem, listPlaces},
	{"GET", "/v1/cases/{id}/flows", Viewer, ClassReading, "desk", Problem, listFlows},
	{"GET", "/v1/cases/{id}/freezelist", Viewer, ClassReading, "desk", Problem, listFreezable},
	{"GET", "/v1/cases/{id}/methods", Viewer, ClassReading, "desk", Problem, compareMethods},
	{"GET", "/v1/cases/{id}/revisions", Viewer, ClassReading, "casework", Problem, listRevisions},
	{"GET", "/v1/cases/{id}/members", Viewer, ClassReading, "casework", Problem, listCaseMembers},
	{"PUT", "/v1/cases/{id}/members/{person}", Analyst, ClassWriting, "casework", Problem, putCaseMember},
	{"DELETE", "/v1/cases/{id}/members/{person}", Analyst, ClassWriting, "casework", Problem, removeCaseMember},

	{"GET", "/v1/addresses/{chain}/{address}", Viewer, ClassReading, "ledger", Problem, getAddress},
	{"GET", "/v1/addresses/{chain}/{address}/labels", Viewer, ClassReading, "ledger", Problem, listLabels},
	{"GET", "/v1/addresses/{chain}/{address}/transfers", Viewer, ClassReading, "ledger", Problem, listTransfers},
	{"GET", "/v1/addresses/{chain}/{address}/exposure", Viewer, ClassScreening, "screening", Problem, getExposure},
	{"GET", "/v1/txs/{chain}/{id}", Viewer, ClassReading, "ledger", Problem, getTransaction},

	{"GET", "/v1/cases/{id}/sankey", Viewer, ClassReading, "views", Problem, getSankey},
	{"GET", "/v1/cases/{id}/timeline", Viewer, ClassReading, "views", Problem, getTimeline},
	{"GET", "/v1/cases/{id}/graph", Viewer, ClassReading, "views", Problem, getGraph},
	{"GET", "/v1/cases/{id}/path", Viewer, ClassReading, "views", Problem, getPath},
	{"GET", "/v1/addresses/{chain}/{address}/neighbours", Viewer, ClassReading, "graphs", Problem, listNeighbours},
	{"GET", "/v1/txs/{chain}/{id}/graph", Viewer, ClassReading, "graphs", Problem, getTransactionGraph},
	{"GET", "/v1/paths/{chain}", Viewer, ClassReading, "graphs", Problem, listPaths},
	{"POST", "/v1/graph/layout", Viewer, ClassReading, "", Problem, placeGraph},

	{"GET", "/v1/holdings", Viewer, ClassHistoric, "league", Problem, getHoldings},
	{"GET", "/v1/entities", Viewer, ClassReading, "league", Problem, listEntities},
	{"GET", "/v1/incidents", Viewer, ClassReading, "league", Problem, listIncidents},
	{"GET", "/v1/incidents/feed", Viewer, ClassReading, "league", Problem, getFeed},

	{"GET", "/v1/search", Viewer, ClassReading, "search", Problem, search},
	{"GET", "/v1/assets", Viewer, ClassReading, "assets", Problem, getAssets},
	{"GET", "/v1/assets/one", Viewer, ClassReading, "assets", Problem, getAsset},
	{"GET", "/v1/prices", Viewer, ClassReading, "assets", Problem, getPrices},
	{"GET", "/v1/entities/{id}", Viewer, ClassReading, "assets", Problem, getEntity},
	{"GET", "/v1/incidents/{id}", Viewer, ClassReading, "assets", Problem, getIncident},
	{"GET", "/v1/addresses/{chain}/{address}/cluster", Viewer, ClassReading, "owners", Problem, getCluster},
	{"GET", "/v1/addresses/{chain}/{address}/behaviour", Viewer, ClassHistoric, "owners", Problem, getBehaviour},
	{"GET", "/v1/addresses/{chain}/{address}/conflicts", Viewer, ClassReading, "owners", Problem, listConflicts},
	{"GET", "/v1/status", Viewer, ClassReading, "chains", Problem, getStatus},
	{"GET", "/v1/txs/{chain}/{id}/proof", Viewer, ClassReading, "chains", Problem, getProof},
	{"GET", "/v1/labels/lists", Viewer, ClassReading, "label-desk", Problem, listLabelLists},
	{"POST", "/v1/labels/preview", Analyst, ClassWriting, "label-desk", Problem, previewLabels},
	{"POST", "/v1/labels/import", Analyst, ClassWriting, "label-desk", Problem, importLabels},

	{"GET", "/v1/keys", Admin, ClassReading, "keys", Problem, listKeys},
	{"POST", "/v1/keys", Admin, ClassWriting, "keys", Problem, postKey},
	{"DELETE", "/v1/keys/{id}", Admin, ClassWriting, "keys", Problem, revokeKey},

	{"GET", "/auth/login", Nobody, ClassStranger, "oidc", Problem, login},
	{"GET", "/auth/callback", Nobody, ClassStranger, "oidc", Problem, callback},
	{"GET", "/auth/session", Viewer, ClassReading, "", Problem, getSession},
	{"POST", "/auth/logout", Nobody, ClassStranger, "oidc", Problem, logout},

	{"GET", "/healthz", Nobody, ClassFree, "", Problem, healthz},
	{"GET", "/readyz", Nobody, ClassFree, "", Problem, readyz},
	{"GET", "/metrics", Viewer, ClassFree, "", Problem, serveMetrics},
	{"GET", "/openapi.json", Nobody, ClassStranger, "", Problem, openAPI},
	{"GET", "/docs", Nobody, ClassStranger, "", Problem, humanDocs},
}

// has says whether a part is wired.
func (s *Server) has(part string) bool {
	wired, ok := s.wired[part]
	if !ok {
		panic("server: there is no part " + part)
	}
	return wired
}

// wired says of every name of a part whether it is there. What needs no part always is.
func (p *Parts) wired(people bool) map[string]bool {
	return map[string]bool{
		"": true, "oidc": people,
		"screening":     p.Screening != nil,
		"keys":          p.Keys != nil,
		"alerts":        p.Alerts != nil,
		"subscriptions": p.Subscriptions != nil,
		"watchlists":    p.WatchLists != nil,
		"venues":        p.Venues != nil,
		"blocklists":    p.Blocklists != nil,
		"policies":      p.Policies != nil,
		"cases":         p.Cases != nil,
		"ledger":        p.Ledger != nil,
		"league":        p.League != nil,
		"jobs":          p.Jobs != nil,
		"desk":          p.Desk != nil,
		"casework":      p.Casework != nil,
		"search":        p.Search != nil,
		"assets":        p.Assets != nil,
		"owners":        p.Owners != nil,
		"chains":        p.Chains != nil,
		"label-desk":    p.LabelDesk != nil,
		"views":         p.Views != nil,
		"graphs":        p.Graphs != nil,
	}
}

// route lays the table out for net/http. Whatever it does not hold is a problem too.
func (s *Server) route() *http.ServeMux {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for i := range Routes {
		r := &Routes[i]
		count := s.metrics.of(r)
		mux.HandleFunc(r.Method+" "+r.Pattern, func(w http.ResponseWriter, request *http.Request) {
			s.serve(w, request, r, count) //nolint:contextcheck // it uses the request's
		})
		methods[r.Pattern] = append(methods[r.Pattern], r.Method)
	}
	for pattern, allowed := range methods {
		if covered(pattern, methods) {
			continue
		}
		allowed = slices.Clone(allowed)
		if slices.Contains(allowed, "GET") {
			allowed = append(allowed, "HEAD")
		}
		slices.Sort(allowed)
		other := &Route{Method: "*", Pattern: pattern, answer: wrongMethod(strings.Join(allowed, ", "))}
		s.handle(mux, other)
	}
	s.serveWorkbench(mux)
	s.handle(mux, &Route{Method: "*", Pattern: "/", answer: func(x *exchange) {
		x.problem(problemNotFound, fmt.Sprintf("nothing is at %.200q", x.request.URL.Path))
	}})
	return mux
}

// serveWorkbench lays out the pages for people.
func (s *Server) serveWorkbench(mux *http.ServeMux) {
	if s.options.Workbench == nil {
		return
	}
	for _, path := range s.options.Workbench.Paths() {
		pattern := path
		if path == "/" {
			pattern = "/{$}"
		}
		page := &Route{Method: "GET", Pattern: pattern, Role: Nobody, answer: func(x *exchange) { s.options.Workbench.ServeHTTP(x, x.request) }}
		count := s.metrics.of(&Route{Method: "GET", Pattern: "workbench"})
		mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, request *http.Request) {
			s.serve(w, request, page, count) //nolint:contextcheck // it uses the request's
		})
	}
}

// covered says whether another pattern takes everything that one takes, by the same
// methods, as /v1/incidents/{id} does with /v1/incidents/feed. It answers wrong methods
// for both; net/http would not know which of the two is meant.
func covered(pattern string, methods map[string][]string) bool {
	parts := strings.Split(pattern, "/")
	for other, allowed := range methods {
		wild := strings.Split(other, "/")
		if other != pattern && len(wild) == len(parts) && slices.Equal(allowed, methods[pattern]) && slices.EqualFunc(parts, wild, func(part, wild string) bool {
			return part == wild || strings.HasPrefix(wild, "{")
		}) {
			return true
		}
	}
	return false
}

func (s *Server) handle(mux *http.ServeMux, r *Route) {
	count := s.metrics.of(&Route{Method: "other", Pattern: "other"})
	mux.HandleFunc(r.Pattern, func(w http.ResponseWriter, request *http.Request) {
		s.serve(w, request, r, count) //nolint:contextcheck // it uses the request's
	})
}

// wrongMethod answers what a path does not take, and the questions of browsers before
// they let a script ask.
func wrongMethod(allowed string) func(*exchange) {
	return func(x *exchange) {
		if x.request.Method == http.MethodOptions && x.mayRead() && x.request.Header.Get("Access-Control-Request-Method") != "" {
			h := x.Header()
			h.Set("Access-Control-Allow-Methods", allowed)
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-API-Key, Last-Event-ID, If-None-Match")
			h.Set("Access-Control-Max-Age", "600")
			x.WriteHeader(http.StatusNoContent)
			return
		}
		x.Header().Set("Allow", allowed)
		x.problem(problemMethod, x.request.Method+" is not among "+allowed)
	}
}
