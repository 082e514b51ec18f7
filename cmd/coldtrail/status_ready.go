package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// readyPatience bounds the question, so that whoever runs it every few seconds, such as
// the health check of a container, never has two at once.
const readyPatience = 5 * time.Second

// readyMost is how much of an answer is read, in bytes.
const readyMost = 1 << 20

// readyAnswer is what is read of the answer of /readyz.
type readyAnswer struct {
	Ready *bool `json:"ready"`
	Parts []struct {
		Name   string `json:"name"`
		State  string `json:"state"`
		Detail string `json:"detail"`
		Needed bool   `json:"needed"`
	} `json:"parts"`
	Chains []struct {
		Chain  string `json:"chain"`
		Height uint64 `json:"height"`
		Age    int64  `json:"age_seconds"`
		Stale  bool   `json:"stale"`
	} `json:"chains"`
}

// askReady asks a server whether it is ready and prints its answer. That it is not is the
// exit code 1; whatever is no answer is an error, and never looks ready.
func (s *session) askReady(ctx context.Context, at string) error {
	answer, text, err := questionReady(ctx, at)
	if err != nil {
		return fmt.Errorf("ask %s whether it is ready: %w", inert(at), err)
	}
	if s.json {
		if err := s.printJSON(json.RawMessage(text)); err != nil {
			return err
		}
	} else {
		answer.print(s.stdout)
	}
	if !*answer.Ready {
		return errHit
	}
	return nil
}

// questionReady asks, without following redirections: another server's answer is none.
func questionReady(ctx context.Context, at string) (answer readyAnswer, text []byte, err error) {
	place, err := url.Parse(at)
	if err != nil || place.Scheme != "http" && place.Scheme != "https" || place.Host == "" {
		return answer, nil, errors.New("want the address of a server, such as http://127.0.0.1:8801")
	}
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	question, err := http.NewRequestWithContext(ctx, http.MethodGet, place.JoinPath("readyz").String(), http.NoBody)
	if err != nil {
		return answer, nil, err
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true}, // and no proxy: this server is asked
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(question)
	if err != nil {
		return answer, nil, err
	}
	defer response.Body.Close()
	text, err = io.ReadAll(io.LimitReader(response.Body, readyMost))
	switch {
	case err != nil:
		return answer, nil, err
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable:
		return answer, nil, fmt.Errorf("it answers %q; is this a Coldtrail server?", response.Status)
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.Ready == nil {
		return answer, nil, errors.New("its answer is not that of a Coldtrail server")
	}
	if *answer.Ready != (response.StatusCode == http.StatusOK) {
		return answer, nil, fmt.Errorf("its answer contradicts itself: %q, ready %t", response.Status, *answer.Ready)
	}
	return answer, text, nil
}

func (a *readyAnswer) print(to io.Writer) {
	word := "not ready"
	if *a.Ready {
		word = "ready"
	}
	fmt.Fprintln(to, word)
	for _, p := range a.Parts {
		line := inert(p.Name) + ": " + inert(p.State)
		if p.Needed {
			line += ", needed"
		}
		if p.Detail != "" {
			line += ": " + inert(p.Detail)
		}
		fmt.Fprintln(to, line)
	}
	for _, c := range a.Chains {
		stale := ""
		if c.Stale {
			stale = ", stale"
		}
		fmt.Fprintf(to, "chain %s: height %d, %d s old%s\n", inert(c.Chain), c.Height, c.Age, stale)
	}
}
