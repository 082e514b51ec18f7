package main

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"coldtrail/attribution/label"
	"coldtrail/casebook"
	"coldtrail/ledger"
	"coldtrail/screen/exposure"
	"coldtrail/server"
)

// canonicalAddress writes an address, and the chain it is of, as verdicts do. Without a
// chain it is of every chain of its family, or of the one network whose form it has.
func canonicalAddress(chain, address string) (onChain, text string, err error) {
	fail := func(reason string) (string, string, error) {
		return "", "", refuse(server.ErrInvalid, "%.100q: %s", address, reason)
	}
	if chain == "" {
		if strings.HasPrefix(address, "0x") || strings.HasPrefix(address, "0X") {
			text, err = written(label.Network(ledger.Ethereum), address)
		} else if text, err = written(label.Network(ledger.Bitcoin), address); err != nil {
			networks := label.Guess(address)
			if len(networks) != 1 {
				return fail(fmt.Sprintf("it has the form of %d networks; name its chain", len(networks)))
			}
			return canonicalAddress(string(networks[0]), address)
		}
		if err != nil {
			return fail(err.Error())
		}
		return "", text, nil
	}
	network := label.Network(chainNamed(chain))
	if text, err = written(network, address); err == nil {
		return string(network), text, nil
	}
	subject, _, foreign := label.ParseSubject(string(network), address) // of a network that no ledger holds
	switch {
	case foreign != nil && errors.Is(err, errNoLedger):
		return fail(foreign.Error())
	case foreign != nil:
		return fail(err.Error())
	}
	if text, err = written(subject.Network, subject.Address); err != nil {
		text = subject.Address
	}
	return string(subject.Network), text, nil
}

// errNoLedger says that a network is of no kind that a ledger can hold.
var errNoLedger = errors.New("no ledger can hold this network")

// written writes an address as the ledger of its network does.
func written(network label.Network, address string) (string, error) {
	chain, err := ledger.ParseChain(string(network))
	if err != nil {
		return "", errNoLedger
	}
	notation, err := notations(chain)
	if err != nil {
		return "", errNoLedger
	}
	a, err := notation.ParseAddress(address)
	if err != nil {
		return "", err
	}
	return notation.FormatAddress(a), nil
}

// chainNamed is the identifier of a chain that goes by another name, or else the text.
func chainNamed(text string) string {
	if id, err := parseChain(text); err == nil {
		return string(id)
	}
	if networks := label.NetworksOf(text); len(networks) == 1 {
		return string(networks[0])
	}
	return text
}

// subjectNamed is an address as verdicts write it, or else the text: alerts are also
// about venues and cases.
func subjectNamed(chain, text string) string {
	if _, address, err := canonicalAddress(chain, text); err == nil {
		return address
	}
	return text
}

// checkTarget refuses addresses to which nothing could ever be sent. Which networks are
// allowed is judged when something is sent.
func checkTarget(kind casebook.TargetKind, address string) error {
	switch kind {
	case casebook.Webhook:
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" {
			return refuse(server.ErrInvalid, "the address of a webhook is a URL such as https://desk.example/hook, without a password")
		}
	case casebook.Mail:
		if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
			return refuse(server.ErrInvalid, "%.100q is not a plain mail address", address)
		}
	case casebook.Stream:
	}
	return nil
}

type watchVerb struct {
	Add    watchAddVerb    `cmd:"" help:"Put addresses on a watch-list, which is made if it is new."`
	Remove watchRemoveVerb `cmd:"" help:"Take addresses off a watch-list."`
	List   watchListVerb   `cmd:"" help:"List watch-lists, or who is on one."`
	End    watchEndVerb    `cmd:"" help:"Give a watch-list up; its members stay on record."`
}

type watchAddVerb struct {
	List      string   `arg:"" name:"LIST" help:"Identifier of the list."`
	Addresses []string `arg:"" optional:"" name:"ADDRESS" help:"Addresses of any network."`
	File      string   `type:"existingfile" placeholder:"FILE" help:"More of them, one a line."`
	Chain     string   `placeholder:"CHAIN" help:"What they are addresses of; by default all chains of their family."`
	Note      string   `placeholder:"TEXT" help:"Why they are watched."`
	Name      string   `placeholder:"NAME" help:"Name of the list, for people."`
	By        string   `placeholder:"NAME" help:"Who does it; by default the user's name on this machine."`
}

// Run puts addresses on a list.
func (v *watchAddVerb) Run(ctx context.Context, s *session) (err error) {
	add, err := v.members()
	if err != nil {
		return err
	}
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	lists := newBookWatchLists(book)
	list := server.WatchList{ID: v.List, Name: v.Name, By: actor(v.By), Created: time.Now().Unix()}
	if list.Name == "" {
		list.Name = v.List
	}
	held, err := watchListNamed(ctx, lists, v.List)
	switch {
	case err == nil:
		list = *held
		list.Ended = 0 // who puts addresses on it wants it to count
		if v.Name != "" {
			list.Name = v.Name
		}
	case !errors.Is(err, server.ErrNotFound):
		return err
	}
	if err := lists.SaveWatchList(ctx, list); err != nil {
		return err
	}
	for part := range slices.Chunk(add, casebook.MaxBatch) {
		if err := lists.ChangeMembers(ctx, v.List, server.MemberChange{Add: part}); err != nil {
			return err
		}
	}
	if s.json {
		return s.printJSON(map[string]any{"list": list, "added": len(add)})
	}
	_, err = fmt.Fprintf(s.stdout, "%s: %d addresses are watched for\n", v.List, len(add))
	return err
}

// members reads and checks all addresses before any is put on the list.
func (v *watchAddVerb) members() (list []server.Member, err error) {
	now, by := time.Now().Unix(), actor(v.By)
	take := func(text string) error {
		m := server.Member{Note: v.Note, By: by, At: now}
		m.Chain, m.Address, err = canonicalAddress(v.Chain, text)
		list = append(list, m)
		return err
	}
	for _, text := range v.Addresses {
		if err := take(text); err != nil {
			return nil, err
		}
	}
	if v.File == "" {
		return list, nil
	}
	file, err := os.Open(v.File)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(eachLine(file, take), file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", v.File, err)
	}
	return list, nil
}

// watchListNamed finds a list, or gives ErrNotFound.
func watchListNamed(ctx context.Context, lists *bookWatchLists, id string) (*server.WatchList, error) {
	all, err := lists.WatchLists(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(l server.WatchList) bool { return l.ID == id })
	if at < 0 {
		return nil, refuse(server.ErrNotFound, "there is no watch-list %s; coldtrail watch list names them", inert(id))
	}
	return &all[at], nil
}

// allMembers reads who is on a list, a page at a time.
func allMembers(ctx context.Context, lists *bookWatchLists, id string) (list []server.Member, err error) {
	for after := (server.Member{}); ; {
		page, err := lists.Members(ctx, id, after, casebook.MaxPage)
		if err != nil || len(page) == 0 {
			return list, err
		}
		list = append(list, page...)
		after = page[len(page)-1]
	}
}

type watchRemoveVerb struct {
	List      string   `arg:"" name:"LIST" help:"Identifier of the list."`
	Addresses []string `arg:"" name:"ADDRESS" help:"Addresses that are on it."`
	Chain     string   `placeholder:"CHAIN" help:"Only as addresses of this chain; by default of whatever they are listed for."`
}

// Run takes addresses off a list, all or none.
func (v *watchRemoveVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	lists := newBookWatchLists(book)
	members, err := allMembers(ctx, lists, v.List)
	if err != nil {
		return err
	}
	byAddress := map[string][]server.Member{}
	for _, m := range members {
		byAddress[m.Address] = append(byAddress[m.Address], m)
	}
	var gone []server.Member
	for _, text := range v.Addresses {
		found := byAddress[subjectNamed(v.Chain, text)]
		if v.Chain != "" {
			chain := chainNamed(v.Chain)
			found = slices.DeleteFunc(slices.Clone(found), func(m server.Member) bool { return m.Chain != chain })
		}
		if len(found) == 0 {
			return fmt.Errorf("%s is not on %s; nothing was changed", inert(text), inert(v.List))
		}
		gone = append(gone, found...)
	}
	for part := range slices.Chunk(gone, casebook.MaxBatch) {
		if err := lists.ChangeMembers(ctx, v.List, server.MemberChange{Remove: part}); err != nil {
			return err
		}
	}
	if s.json {
		return s.printJSON(map[string]any{"list": v.List, "removed": len(gone)})
	}
	_, err = fmt.Fprintf(s.stdout, "%s: %d entries are off the list\n", v.List, len(gone))
	return err
}

type watchListVerb struct {
	List string `arg:"" optional:"" name:"LIST" help:"Who is on this list."`
	All  bool   `help:"Also lists that were given up."`
}

// Run lists watch-lists, or the members of one.
func (v *watchListVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	lists := newBookWatchLists(book)
	if v.List != "" {
		members, err := allMembers(ctx, lists, v.List)
		if err != nil {
			return err
		}
		return s.printMembers(v.List, members)
	}
	all, err := lists.WatchLists(ctx)
	if err != nil {
		return err
	}
	if !v.All {
		all = slices.DeleteFunc(all, func(l server.WatchList) bool { return l.Ended != 0 })
	}
	if s.json {
		return s.printJSON(map[string]any{"lists": all})
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LIST\tNAME\tMADE\tBY\tSTATE")
	for i := range all {
		l := &all[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", inert(l.ID), inert(l.Name), stampDay(l.Created), inert(l.By), ending(l.Ended))
	}
	return w.Flush()
}

// ending says whether something counts.
func ending(ended int64) string {
	if ended == 0 {
		return "counts"
	}
	return "ended " + stampDay(ended)
}

func (s *session) printMembers(list string, members []server.Member) error {
	if s.json {
		if members == nil {
			members = []server.Member{}
		}
		return s.printJSON(map[string]any{"list": list, "members": members})
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ADDRESS\tCHAIN\tSINCE\tBY\tNOTE")
	for i := range members {
		m := &members[i]
		chain := "any"
		if m.Chain != "" {
			chain = ledger.Chain(m.Chain).Short()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", inert(m.Address), inert(chain), stampDay(m.At), inert(m.By), inert(m.Note))
	}
	return w.Flush()
}

type watchEndVerb struct {
	List string `arg:"" name:"LIST" help:"Identifier of the list."`
}

// Run gives a list up.
func (v *watchEndVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	lists := newBookWatchLists(book)
	list, err := watchListNamed(ctx, lists, v.List)
	if err != nil {
		return err
	}
	if list.Ended == 0 {
		list.Ended = time.Now().Unix()
	}
	if err := lists.SaveWatchList(ctx, *list); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(list)
	}
	_, err = fmt.Fprintf(s.stdout, "%s counts no longer\n", list.ID)
	return err
}

type notifyVerb struct {
	Add  notifyAddVerb  `cmd:"" help:"Tell somebody of alerts, by webhook or by mail."`
	List notifyListVerb `cmd:"" help:"List who is told of what."`
	End  notifyEndVerb  `cmd:"" help:"Tell somebody no longer."`
}

type notifyAddVerb struct {
	ID       string   `arg:"" name:"ID" help:"Identifier, of the target and of its subscription."`
	Address  string   `arg:"" optional:"" name:"URL|MAIL" help:"Where to: a URL, or a mail address (which needs serve --smtp)."`
	To       string   `placeholder:"ID" help:"Add a subscription to this target instead of a new one."`
	Kinds    []string `name:"kind" placeholder:"KIND" help:"Only alerts of this kind; may be given several times."`
	Levels   []string `name:"level" placeholder:"LEVEL" help:"Of those that have a level, only of this one: none, low, medium, high, severe or unknown."`
	Chains   []string `name:"chain" placeholder:"CHAIN" help:"Of those that are of a chain, only of this one."`
	Subjects []string `name:"subject" placeholder:"ADDRESS" help:"Only about this address, venue or case."`
	Name     string   `placeholder:"NAME" help:"For people."`
	By       string   `placeholder:"NAME" help:"Who does it; by default the user's name on this machine."`
}

// notified is a target with its subscription.
type notified struct {
	Target       *server.Target      `json:"target,omitempty"`
	Subscription server.Subscription `json:"subscription"`
}

// Run makes or changes a target and a subscription.
func (v *notifyAddVerb) Run(ctx context.Context, s *session) (err error) {
	if (v.Address == "") == (v.To == "") {
		return errors.New("say where to with a URL or a mail address, or name a target that is there with --to ID")
	}
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	subscriptions := newBookSubscriptions(book, randomText)
	now, by := time.Now().Unix(), actor(v.By)
	done := notified{Subscription: server.Subscription{
		ID: v.ID, Name: v.Name, Target: v.To, Kinds: v.Kinds, Levels: retyped[string, exposure.Level](v.Levels), Chains: v.Chains, Subjects: v.Subjects, By: by, Created: now,
	}}
	if v.Address != "" {
		target := server.Target{ID: v.ID, Name: v.Name, Kind: string(casebook.Mail), Address: v.Address, By: by, Created: now}
		if strings.Contains(v.Address, "://") {
			target.Kind = string(casebook.Webhook)
		}
		if target, err = subscriptions.SaveTarget(ctx, target); err != nil {
			return err
		}
		done.Target, done.Subscription.Target = &target, v.ID
	}
	if err := subscriptions.SaveSubscription(ctx, done.Subscription); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(done)
	}
	fmt.Fprintf(s.stderr, "note: %s is told of %s\n", inert(done.Subscription.Target), wanted(&done.Subscription))
	if done.Target == nil || done.Target.Secret == "" {
		return nil
	}
	fmt.Fprintln(s.stderr, "note: messages are signed with this secret. This is the only time that it is shown.")
	_, err = fmt.Fprintln(s.stdout, done.Target.Secret)
	return err
}

// wanted says what a subscription is of.
func wanted(s *server.Subscription) string {
	var parts []string
	for _, part := range []struct {
		what string
		list []string
	}{{"kind", s.Kinds}, {"level", retyped[exposure.Level, string](s.Levels)}, {"chain", s.Chains}, {"about", s.Subjects}} {
		if len(part.list) > 0 {
			parts = append(parts, part.what+" "+inert(strings.Join(part.list, " or ")))
		}
	}
	if len(parts) == 0 {
		return "all alerts"
	}
	return "alerts: " + strings.Join(parts, ", ")
}

type notifyListVerb struct {
	All bool `help:"Also those that ended."`
}

// Run lists targets and subscriptions.
func (v *notifyListVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	reader := newBookSubscriptions(book, randomText)
	targets, err := reader.Targets(ctx)
	if err != nil {
		return err
	}
	subscriptions, err := reader.Subscriptions(ctx)
	if err != nil {
		return err
	}
	if !v.All {
		targets = slices.DeleteFunc(targets, func(t server.Target) bool { return t.Ended != 0 })
		subscriptions = slices.DeleteFunc(subscriptions, func(x server.Subscription) bool { return x.Ended != 0 })
	}
	if s.json {
		return s.printJSON(map[string]any{"targets": targets, "subscriptions": subscriptions})
	}
	w := tabwriter.NewWriter(s.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TARGET\tKIND\tADDRESS\tMADE\tBY\tSTATE")
	for i := range targets {
		t := &targets[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", inert(t.ID), t.Kind, inert(t.Address), stampDay(t.Created), inert(t.By), ending(t.Ended))
	}
	fmt.Fprintln(w, "\nSUBSCRIPTION\tTARGET\tOF\tMADE\tBY\tSTATE")
	for i := range subscriptions {
		x := &subscriptions[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", inert(x.ID), inert(x.Target), wanted(x), stampDay(x.Created), inert(x.By), ending(x.Ended))
	}
	return w.Flush()
}

type notifyEndVerb struct {
	ID string `arg:"" name:"ID" help:"Identifier of a target or a subscription."`
}

// Run ends a target, with what is still to be delivered there, or a subscription, or both
// where they have one identifier.
func (v *notifyEndVerb) Run(ctx context.Context, s *session) (err error) {
	book, err := s.openBook(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	ended, err := v.end(ctx, newBookSubscriptions(book, randomText))
	if err != nil {
		return err
	}
	if len(ended) == 0 {
		return fmt.Errorf("there is no target and no subscription %s that has not ended; coldtrail notify list names them", inert(v.ID))
	}
	if s.json {
		return s.printJSON(map[string]any{"id": v.ID, "ended": ended})
	}
	_, err = fmt.Fprintf(s.stdout, "%s: %s ended\n", v.ID, strings.Join(ended, " and "))
	return err
}

func (v *notifyEndVerb) end(ctx context.Context, of *bookSubscriptions) (ended []string, err error) {
	now := time.Now().Unix()
	subscriptions, err := of.Subscriptions(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range subscriptions {
		if x.ID != v.ID || x.Ended != 0 {
			continue
		}
		x.Ended = now
		if err := of.SaveSubscription(ctx, x); err != nil {
			return nil, err
		}
		ended = append(ended, "subscription")
	}
	targets, err := of.Targets(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		if t.ID != v.ID || t.Ended != 0 {
			continue
		}
		t.Ended = now
		if _, err := of.SaveTarget(ctx, t); err != nil {
			return nil, err
		}
		ended = append(ended, "target")
	}
	return ended, nil
}
