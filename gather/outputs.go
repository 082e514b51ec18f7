package gather

import (
	"context"
	"fmt"
	"slices"

	"coldtrail/ledger"
	"coldtrail/trace"
)

// outputs gathers on a UTXO chain: what spends the outputs that hold taint, and the
// parents of these transactions, because a method needs the value of every input.
type outputs struct {
	*gatherer
	explorer Spends
	done     map[ledger.Hash]bool // asked for what spends them
	have     map[ledger.Hash]bool // gathered
}

func (o *outputs) asked() int { return len(o.done) }

func (o *outputs) open(result *trace.Result) (open []string) {
	for _, place := range o.held(result) {
		text := beforeColon(place)
		if id, err := ledger.ParseHash(text); err == nil && !o.done[id] && !slices.Contains(open, text) {
			open = append(open, text)
		}
	}
	return open
}

func (o *outputs) ask(ctx context.Context, place string) error {
	id, err := ledger.ParseHash(place)
	if err != nil {
		return err
	}
	o.done[id] = true
	answer, err := o.cached(fmt.Sprintf("spends-%s-%d", id, o.options.Head), func() (Answer, error) {
		blocks, err := o.explorer.Spending(ctx, id)
		return Answer{Blocks: blocks}, err
	})
	if err != nil {
		return fmt.Errorf("what spends %s: %w", place, err)
	}
	for _, block := range answer.Blocks {
		if block.Height > o.options.Head {
			continue
		}
		o.merge(block)
		for i := range block.Txs {
			o.have[block.Txs[i].ID] = true
			if err := o.parents(ctx, &block.Txs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// parents fetches the transactions whose outputs a transaction spends.
func (o *outputs) parents(ctx context.Context, tx *ledger.Tx) error {
	for _, in := range tx.Inputs {
		if o.have[in.Tx] {
			continue
		}
		o.have[in.Tx] = true
		answer, err := o.cached("tx-"+in.Tx.String(), func() (Answer, error) {
			block, err := o.explorer.Containing(ctx, in.Tx)
			return Answer{Blocks: []*ledger.Block{block}}, err
		})
		if err != nil {
			return fmt.Errorf("parent of %s: %w", tx.ID, err)
		}
		o.merge(answer.Blocks[0])
	}
	return nil
}
