package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"coldtrail/screen/exposure"
)

// identification is one entry of a list, in the words of Chainalysis' sanctions API.
type identification struct {
	Category    string `json:"category"`
	Name        string `json:"name"`
	Description string `json:"description"`
	URL         string `json:"url"`
}

type identifications struct {
	Identifications []identification `json:"identifications"`
}

// sanctionsOf answers as Chainalysis' sanctions API does, so that whoever uses that
// changes one address.
func sanctionsOf(x *exchange) {
	l, ok := x.lists()
	if !ok {
		x.problem(problemUnavailable, "The sanctions lists are not loaded.")
		return
	}
	address := x.request.PathValue("address")
	if !l.ask(address, "") {
		x.problem(problemInvalid, "Invalid address.")
		return
	}
	answer := identifications{l.identifications()}
	x.age(l.ages.moment())
	x.change(http.StatusOK, bytesOf(x.request.URL.Path), answer)
}

func (l *listing) identifications() []identification {
	list := []identification{}
	l.listed(func(f *exposure.Fact) { list = append(list, identificationOf(f)) })
	return list
}

func identificationOf(f *exposure.Fact) identification {
	name := strings.TrimSpace("SANCTIONS: " + strings.Join(words(f.Authority, f.Entity), " "))
	if f.From > 0 {
		name += " " + time.Unix(f.From, 0).UTC().Format(time.DateOnly)
	}
	description := "The address is listed"
	if f.Authority != "" {
		description += " by " + f.Authority
	}
	if f.Entity != "" {
		description += " as an address of " + f.Entity
	}
	if f.From > 0 {
		description += " since " + time.Unix(f.From, 0).UTC().Format(time.DateOnly)
	}
	url := ""
	if strings.HasPrefix(f.Source, "https://") || strings.HasPrefix(f.Source, "http://") {
		url = f.Source
	}
	return identification{"sanctions", name, description + ". Said by " + unless(f.By, "an unnamed source") + ".", url}
}

func words(texts ...string) []string {
	var list []string
	for _, t := range texts {
		if t != "" {
			list = append(list, t)
		}
	}
	return list
}

// foreign answers that it did not work, as the service does whose place this one takes.
// There a rate that is exceeded is 403, and so is a request without a key.
func (x *exchange) foreign(p *problemKind, detail string) {
	status, message := p.status, detail
	if x.route.Dialect == Entity {
		x.json(status, entityError{x.started.UTC().Format(time.RFC3339), x.request.URL.Path, status, http.StatusText(status), message})
		return
	}
	switch p {
	case problemCredentials:
		if text, _ := credentials(x.request.Header); text == "" {
			status, message = http.StatusForbidden, "Forbidden"
		} else {
			message = "Invalid API Key"
		}
	case problemRate:
		status, message = http.StatusForbidden, "Limit Exceeded"
	case problemInvalid, problemUnavailable:
	default:
		message = p.title
	}
	x.json(status, map[string]string{"message": message})
}

// entityError is the form of errors of Chainalysis' risk API.
type entityError struct {
	Timestamp string `json:"timestamp"`
	Path      string `json:"path"`
	Status    int    `json:"status"`
	Error     string `json:"error"`
	Message   string `json:"message"`
}

// entity is what is known of an address, in the form of Chainalysis' risk API.
type entity struct {
	Address                string           `json:"address"`
	Risk                   string           `json:"risk"`
	RiskReason             *string          `json:"riskReason"`
	AddressType            string           `json:"addressType"`
	Cluster                *entityCluster   `json:"cluster"`
	AddressIdentifications []identification `json:"addressIdentifications"`
	Exposures              []entityExposure `json:"exposures"`
	Triggers               []entityTrigger  `json:"triggers"`
	Status                 string           `json:"status"`
	PoolMetadata           *struct{}        `json:"poolMetadata"`
}

type entityCluster struct {
	Name     string `json:"name"`
	Category string `json:"category"`
}

// entityExposure has no value: amounts here are in base units, and there is no price.
type entityExposure struct {
	Category     string `json:"category"`
	ExposureType string `json:"exposureType"`
	Direction    string `json:"direction"`
	Percentage   string `json:"percentage,omitempty"`
}

type entityTrigger struct {
	Category string `json:"category"`
	Message  string `json:"message"`
}

// riskOf answers in the form of Chainalysis' risk API. That form has no word for unknown:
// the outcome of the policy then says how grave it is to be taken, and never Low.
func riskOf(x *exchange) {
	l, ok := x.lists()
	if !ok {
		x.problem(problemUnavailable, "what is known is not loaded")
		return
	}
	address := x.request.PathValue("address")
	if !l.ask(address, "") {
		x.problem(problemInvalid, "it is no address")
		return
	}
	v := &l.verdict
	answer := entity{
		Address: address, Risk: riskName(v), AddressType: "PRIVATE_WALLET", Status: "COMPLETE",
		AddressIdentifications: l.identifications(), Exposures: []entityExposure{}, Triggers: []entityTrigger{},
	}
	if why := riskReason(v); why != "" {
		answer.RiskReason = &why
	}
	for i := range v.Facts {
		answer.fact(&v.Facts[i])
	}
	for _, r := range v.Reasons {
		answer.Triggers = append(answer.Triggers, entityTrigger{r.Code, unless(r.Why, r.Code)})
	}
	x.age(l.ages.moment())
	x.change(http.StatusOK, bytesOf(x.request.URL.Path), answer)
}

// fact puts one fact where that form has it.
func (e *entity) fact(f *exposure.Fact) {
	switch f.Kind {
	case exposure.Labelled, exposure.Owned:
		if e.Cluster == nil && f.Entity != "" {
			e.Cluster = &entityCluster{f.Entity, f.Category}
		}
	case exposure.Tainted, exposure.Dealt:
		out := entityExposure{Category: f.Category, ExposureType: "direct", Direction: "incoming"}
		if f.Hops > 1 {
			out.ExposureType = "indirect"
		}
		if f.Direction == exposure.Sent {
			out.Direction = "outgoing"
		}
		if f.Share > 0 {
			out.Percentage = fmt.Sprintf("%d.%02d", f.Share/100, f.Share%100)
		}
		e.Exposures = append(e.Exposures, out)
	}
}

// riskName is the graver of level and outcome.
func riskName(v *exposure.Verdict) string {
	names := []string{"Low", "Medium", "High", "Severe"}
	grade := 0
	switch v.Level {
	case exposure.None, exposure.Low:
	case exposure.High:
		grade = 2
	case exposure.Severe:
		grade = 3
	case exposure.Medium, exposure.Unknown:
		grade = 1
	default:
		grade = 1
	}
	switch v.Outcome {
	case exposure.Review:
		grade = max(grade, 1)
	case exposure.Refuse:
		grade = max(grade, 2)
	case exposure.Freeze:
		grade = 3
	case exposure.Allow, exposure.Monitor:
	}
	return names[grade]
}

func riskReason(v *exposure.Verdict) string {
	why := ""
	if v.Level == exposure.Unknown {
		why = "unknown: nobody can tell; "
	}
	for _, r := range v.Reasons {
		if r.Outcome == v.Outcome {
			return why + unless(r.Why, r.Code)
		}
	}
	return strings.TrimSuffix(why, "; ")
}
