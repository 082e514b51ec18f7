package holdings

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"coldtrail/attribution"
	"coldtrail/attribution/label"
	"coldtrail/ledger"
	"coldtrail/register"
	"coldtrail/store"
)

// sure is the confidence from which a label counts for more than a possibility.
const sure = 50

// owner is an address of a ledger with who is behind it, and what says so.
type owner struct {
	address ledger.Address
	text    string
	actor   string
	kind    register.Kind
	claim   label.Claim
	// beside is the labelled address whose cluster this one is in.
	beside string
}

// owners lists the addresses of a chain that claims give to somebody, in the order of
// their texts. Of claims that name different actors the surest decides; the others stay in
// the store, and labels show lists them.
func owners(ctx context.Context, s store.Labels, chain ledger.Chain, o *Options) (list []owner, left []string, err error) {
	notation, err := o.Notation(chain)
	if err != nil {
		return nil, nil, err
	}
	err = attribution.EachSubject(ctx, s, label.Network(chain), o.When, func(subject label.Subject, claims []label.Claim) error {
		at := slices.IndexFunc(claims, func(c label.Claim) bool { return c.OnAddress() && c.Actor != "" })
		if at < 0 || o.Actor != "" && !o.Actors.Is(claims[at].Actor, o.Actor) {
			return nil
		}
		address, err := notation.ParseAddress(subject.Address)
		if err != nil {
			left = append(left, fmt.Sprintf("%s of %s is no address of a ledger: %v", subject.Address, chain.Short(), err))
			return nil
		}
		list = append(list, owner{address: address, text: subject.Address, actor: claims[at].Actor, kind: kindOf(claims, at), claim: claims[at]})
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if c := o.Clusters[chain]; c != nil {
		var more []string
		if list, more, err = clustered(ctx, c, notation, list); err != nil {
			return nil, nil, err
		}
		left = append(left, more...)
	}
	slices.SortStableFunc(list, func(a, b owner) int { return cmp.Compare(a.text, b.text) })
	return list, left, nil
}

// kindOf is the kind of evidence that a claim is. Where any sure claim says that somebody
// keeps customers' books at the address, what is there may be anybody's.
func kindOf(claims []label.Claim, at int) register.Kind {
	for i := range claims {
		if claims[i].Score >= sure && claims[i].StopOf() == label.StopService {
			return register.CustodyDependent
		}
	}
	if claims[at].Confidence == "ownership" {
		return register.Verified
	}
	return register.Attributed
}

// mostMembers is how many addresses of one cluster are read.
const mostMembers = 100_000

// clustered adds the other addresses of each owner's cluster. A cluster in which labels
// name two actors is wrong somewhere, and adds nothing.
func clustered(ctx context.Context, c *attribution.Clusters, notation ledger.Notation, list []owner) (all []owner, left []string, err error) {
	own := map[ledger.Address]bool{}
	for i := range list {
		own[list[i].address] = true
	}
	actor, clash := map[ledger.Address]string{}, map[ledger.Address]bool{}
	members := map[ledger.Address]*attribution.Owner{}
	first := make([]ledger.Address, len(list))
	for i := range list {
		of, err := c.OwnerOf(ctx, list[i].address, c.Height(), mostMembers)
		if errors.Is(err, attribution.ErrNoMember) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		first[i], members[of.First] = of.First, of
		if before, ok := actor[of.First]; ok && before != list[i].actor {
			clash[of.First] = true
		}
		actor[of.First] = list[i].actor
	}
	all, done := list, map[ledger.Address]bool{}
	for i := range list {
		of := members[first[i]]
		switch {
		case first[i].IsZero() || done[first[i]]:
			continue
		case clash[first[i]]:
			left = append(left, fmt.Sprintf("the cluster of %s: labels give it to several; it adds nothing", list[i].text))
		case of.Size > uint32(len(of.Members)):
			left = append(left, fmt.Sprintf("the cluster of %s: %d of its %d addresses were not read", list[i].text, of.Size-uint32(len(of.Members)), of.Size))
			fallthrough
		default:
			for _, m := range of.Members {
				if !own[m] {
					all = append(all, owner{address: m, text: notation.FormatAddress(m), actor: list[i].actor, kind: register.Inferred, claim: list[i].claim, beside: list[i].text})
				}
			}
		}
		done[first[i]] = true
	}
	return all, left, nil
}
