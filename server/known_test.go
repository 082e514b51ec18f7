package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"coldtrail/ledger"
	"coldtrail/register"
	"coldtrail/server"
)

// known knows one thing of each kind.
type known struct{}

func (known) Search(_ context.Context, q server.SearchQuestion) (server.Found, error) {
	if q.Text == "nothing" {
		return server.Found{Complete: true}, nil
	}
	return server.Found{Items: []server.FoundItem{{Type: server.FoundEntity, ID: "lazarus-group", Title: "Lazarus Group", Detail: fmt.Sprint(q.Text, " ", q.Limit), Held: true}}}, nil
}

var etherLine = server.AssetLine{Asset: "eip155:1/slip44:60", Symbol: "ETH", Name: "Ether", Chain: "eip155:1", Decimals: 18, Kind: "native", Held: true}

func (known) Assets(context.Context) (server.AssetList, error) {
	return server.AssetList{Items: []server.AssetLine{etherLine}, Register: "sha256:aa"}, nil
}

func (known) Asset(_ context.Context, asset ledger.Asset) (server.AssetPage, error) {
	if asset != etherLine.Asset {
		return server.AssetPage{}, fmt.Errorf("%w: %s", server.ErrNotFound, asset)
	}
	return server.AssetPage{
		AssetLine: etherLine, Background: "The asset of Ethereum.", Freeze: "nobody", Forms: []server.AssetLine{}, Prices: []server.Price{}, Supplies: []server.AssetSupply{},
		Thefts:  []server.AssetTheft{{Incident: "bybit-2025", Title: "Bybit", Date: "2025-02-21", Loss: register.Loss{Asset: asset, Quantity: "1", Sources: []string{"s"}}}},
		Sources: []register.Source{{ID: "s", By: "somebody", Title: "A paper", Date: "2025"}}, Register: "sha256:aa",
	}, nil
}

func (known) Prices(_ context.Context, day string) (server.PriceList, error) {
	return server.PriceList{Items: []server.Price{{Asset: etherLine.Asset, Symbol: "ETH", Day: day, USD: "1900.00", By: "somebody"}}, Day: day}, nil
}

func (known) Incident(_ context.Context, id string) (server.IncidentPage, error) {
	return server.IncidentPage{
		Incident: register.Incident{ID: id, Title: "A theft", Date: "2025-02-21", Losses: []register.Loss{}, By: []register.Attribution{{Actor: "lazarus-group", By: "FBI", Sources: []string{"s"}}}},
		Actors:   []server.Actor{}, Assets: []server.AssetLine{}, Claims: []server.EntityClaim{}, Cases: []string{}, Sources: []register.Source{}, Register: "sha256:aa",
	}, nil
}

func (known) Entity(_ context.Context, name string, addresses int) (server.EntityPage, error) {
	if name == "nobody" {
		return server.EntityPage{}, fmt.Errorf("%w: nobody", server.ErrNotFound)
	}
	return server.EntityPage{
		Actor:   server.Actor{ID: name, Label: "Somebody", Names: []string{}, Line: []string{name}, Jurisdictions: []string{}},
		Parents: []string{}, Members: []string{}, Incidents: []server.EntityTheft{{ID: "bybit-2025", Actor: name, By: "FBI"}}, Named: addresses,
		Claims:    []server.EntityClaim{{Label: oneLabel("c1"), Aliases: []string{}, Jurisdictions: []string{}}},
		Addresses: []server.EntityAddress{{Network: "eip155:1", Address: sanctionedAddress, Label: "x", By: "FBI", Confidence: 100}},
	}, nil
}

func oneLabel(id string) server.Label {
	return server.Label{ID: id, Label: "A wallet", Confidence: 50, By: "me", Learned: 1}
}

func (known) Cluster(_ context.Context, chain ledger.Chain, address string, q server.ClusterQuestion) (server.Cluster, error) {
	c := server.Cluster{
		Chain: string(chain), AsOf: 7, Root: address, Members: 2, Rules: "co-spend", Items: []string{address}, Named: []server.NamedMember{{Address: address, Labels: []server.Label{oneLabel("c1")}, Conflicts: []server.Conflict{}}},
		Looked: 2, Actors: []string{}, Weak: []server.WeakLink{},
	}
	if q.After == "" {
		c.Next = "7:1"
	}
	if q.To != "" {
		c.Why = &server.ClusterTies{To: q.To, Joined: true, Steps: []server.ClusterTie{{A: address, B: q.To, Rule: "co-spend", Tx: "aa", Confidence: 90}}}
	}
	return c, nil
}

func (known) Behaviour(_ context.Context, chain ledger.Chain, address string, q server.BehaviourQuestion) (server.Behaviour, error) {
	return server.Behaviour{Chain: string(chain), Subject: address, Addresses: []string{address}, LeftOut: []string{}, Findings: []server.Finding{{
		Pattern: q.Pattern, Title: "A pattern", Text: fmt.Sprint(q.Owner), Chains: []string{string(chain)}, From: "2025-02-21T00:00:00Z", To: "2025-02-21T00:00:00Z", Txs: []string{},
		Amounts: []server.FindingAmount{{Asset: "eip155:1/slip44:60", Amount: "7"}}, Parties: []string{}, Addresses: []string{}, Resembles: []string{},
		Parameters: []server.FindingFigure{{Name: "least", Value: "3"}}, Measures: []server.FindingFigure{},
	}}}, nil
}

func (known) Conflicts(context.Context, ledger.Chain, string) ([]server.Conflict, error) {
	return []server.Conflict{{Over: "actor", A: oneLabel("c1"), B: oneLabel("c2")}}, nil
}

func (known) Status(context.Context) (server.Status, error) {
	rate := uint64(3)
	return server.Status{Chains: []server.ChainStatus{{ChainHeld: server.ChainHeld{Chain: "eip155:1", Height: 5, Weakest: "node", Time: "2025-02-21T00:00:00Z"}, Followed: true, Trouble: "no route", Heard: 1740000000, Rate: &rate}}, Labels: "sha256:bb", Claims: 2}, nil
}

func (known) Proof(_ context.Context, chain ledger.Chain, id string) (server.Proof, error) {
	return server.Proof{Chain: string(chain), ID: id, Provenance: "proven", Merkle: &server.MerkleProof{Root: "bb", Branch: []string{"cc"}}, Shown: []string{"x"}, Word: []string{}, Next: "y"}, nil
}

func (known) Lists(context.Context) (server.LabelLists, error) {
	return server.LabelLists{Items: []server.LabelList{{Name: "sdn.csv", By: "OFAC", First: 1, Last: 2, Claims: 3, Digest: "sha256:cc"}}, Labels: "sha256:bb", Claims: 3}, nil
}

func (known) Preview(_ context.Context, f server.LabelFile) (server.LabelChanges, error) {
	sum := sha256.Sum256(f.Body)
	return server.LabelChanges{
		Name: f.Name, Format: "stix", Digest: "d1", Content: "sha256:" + hex.EncodeToString(sum[:]), Counts: server.LabelCounts{Added: 1},
		Items: []server.LabelChange{{Change: server.LabelAdded, Network: "eip155:1", Subject: cleanAddress, Label: f.Otherwise.By, Line: 1}}, Complete: true,
	}, nil
}

func (known) Import(_ context.Context, f server.LabelFile) (server.LabelImport, error) {
	if f.Digest != "d1" {
		return server.LabelImport{}, fmt.Errorf("%w: the digest", server.ErrChanged)
	}
	return server.LabelImport{Name: f.Name, Format: "stix", Digest: f.Digest, Counts: server.LabelCounts{Added: len(f.Body)}, Labels: "sha256:bb", Claims: 1}, nil
}
