package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"text/tabwriter"
	"time"

	"coldtrail/casebook"
)

type casesVerb struct {
	Add   casesAddVerb   `cmd:"" help:"Open a case, or give one a new case file."`
	List  casesListVerb  `cmd:"" help:"List cases."`
	Show  casesShowVerb  `cmd:"" help:"Print the case file of a case."`
	Close casesCloseVerb `cmd:"" help:"Close a case: its stolen value is followed no longer."`
}

type casesAddVerb struct {
	Files []string `arg:"" name:"CASE.yaml" type:"path" help:"Case files."`
	By    string   `placeholder:"NAME" help:"Who does it; by default the user's name on this machine."`
	Why   string   `placeholder:"TEXT" help:"For the record."`
}

// Run opens the cases of files.
func (v *casesAddVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	for _, file := range v.Files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		c, err := parseCase(file, string(text))
		if err != nil {
			return err
		}
		change := casebook.CaseChange{ID: c.Name, Title: c.Title, State: casebook.CaseOpen, Text: string(text), By: actor(v.By), At: time.Now().Unix(), Why: v.Why}
		if held, err := book.Case(ctx, c.Name); err == nil {
			change.Expect = held.Revision
		} else if !errors.Is(err, casebook.ErrNotFound) {
			return err
		}
		saved, err := book.SaveCase(ctx, change)
		if err != nil {
			return err
		}
		if s.json {
			err = s.printJSON(saved)
		} else {
			_, err = fmt.Fprintf(s.stdout, "%s is open, revision %d\n", saved.ID, saved.Revision)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// actor is who does something by hand on this machine.
func actor(named string) string {
	if named != "" {
		return named
	}
	if u, err := user.Current(); err == nil && u.Username != "" {
		return "local:" + u.Username
	}
	return "local"
}

type casesListVerb struct {
	All bool `help:"Also those that are closed."`
}

// Run lists cases.
func (v *casesListVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	filter, list := casebook.CaseFilter{State: casebook.CaseOpen}, []casebook.Case{}
	if v.All {
		filter.State = ""
	}
	for {
		page, err := book.Cases(ctx, filter)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		list = append(list, page...)
		filter.After = page[len(page)-1].ID
	}
	if s.json {
		return s.printJSON(list)
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASE\tSTATE\tREVISION\tCHANGED\tBY\tTITLE")
	for i := range list {
		c := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\n", inert(c.ID), c.State, c.Revision, time.Unix(c.Changed, 0).UTC().Format(time.RFC3339), inert(c.ChangedBy), inert(c.Title))
	}
	return w.Flush()
}

type casesShowVerb struct {
	Case string `arg:"" help:"Identifier of the case."`
}

// Run prints a case file.
func (v *casesShowVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	c, err := book.Case(ctx, v.Case)
	if err != nil {
		return fmt.Errorf("%s: %w; coldtrail cases list --all names them", v.Case, err)
	}
	if s.json {
		revisions, err := book.Revisions(ctx, v.Case, 0, 0)
		if err != nil {
			return err
		}
		return s.printJSON(map[string]any{"case": c, "revisions": revisions})
	}
	_, err = fmt.Fprint(s.stdout, c.Text)
	return err
}

type casesCloseVerb struct {
	Case string `arg:"" help:"Identifier of the case."`
	By   string `placeholder:"NAME" help:"Who does it; by default the user's name on this machine."`
	Why  string `required:"" placeholder:"TEXT" help:"For the record."`
}

// Run closes a case.
func (v *casesCloseVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	c, err := book.Case(ctx, v.Case)
	if err != nil {
		return fmt.Errorf("%s: %w; coldtrail cases list names those that are open", v.Case, err)
	}
	change := casebook.CaseChange{
		ID: c.ID, Title: c.Title, State: casebook.CaseClosed, Text: c.Text, By: actor(v.By), At: time.Now().Unix(), Why: v.Why, Expect: c.Revision,
	}
	if c, err = book.SaveCase(ctx, change); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(c)
	}
	_, err = fmt.Fprintf(s.stdout, "%s is closed, revision %d\n", c.ID, c.Revision)
	return err
}
