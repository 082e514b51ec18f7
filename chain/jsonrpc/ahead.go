package jsonrpc

import (
	"context"
	"errors"
	"iter"

	"golang.org/x/sync/errgroup"
)

// ErrShort ends a walk where the node has no further block. It is no failure.
var ErrShort = errors.New("the node has no such block")

// Walk is the heights of a walk and how many blocks one question asks for.
type Walk struct{ From, To, Window uint64 }

// Ahead fetches windows of a walk, as many at once as the client may ask, and yields
// what they hold in order. An error comes after what was fetched before it; ErrShort
// ends the walk without one.
func Ahead[T any](ctx context.Context, c *Client, walk Walk, fetch func(ctx context.Context, first, last uint64) ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		group, ctx := errgroup.WithContext(ctx)
		windows := start(ctx, group, c.AtOnce(), walk, fetch)
		defer func() {
			cancel()
			for range windows { // lets the fetchers end
				continue
			}
			_ = group.Wait()
		}()
		for window := range windows {
			if !hand(ctx, window, yield) {
				return
			}
		}
	}
}

// fetched is one window's blocks, and why there are not more.
type fetched[T any] struct {
	items []T
	err   error
}

// start starts fetching windows and gives, in order, where each will arrive.
func start[T any](ctx context.Context, group *errgroup.Group, ahead int, walk Walk, fetch func(context.Context, uint64, uint64) ([]T, error)) <-chan chan fetched[T] {
	windows := make(chan chan fetched[T], ahead)
	group.Go(func() error {
		defer close(windows)
		room := make(chan struct{}, ahead)
		for first := walk.From; first <= walk.To; first += walk.Window {
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
			arrival := make(chan fetched[T], 1)
			last := min(first+walk.Window-1, walk.To)
			group.Go(func() error {
				items, err := fetch(ctx, first, last)
				arrival <- fetched[T]{items, err}
				<-room
				return nil
			})
			select {
			case windows <- arrival:
			case <-ctx.Done():
				return nil
			}
		}
		return nil
	})
	return windows
}

// hand yields a window and says whether to go on.
func hand[T any](ctx context.Context, window <-chan fetched[T], yield func(T, error) bool) bool {
	var got fetched[T]
	var none T
	select {
	case got = <-window:
	case <-ctx.Done():
		yield(none, context.Cause(ctx))
		return false
	}
	for _, item := range got.items {
		if !yield(item, nil) {
			return false
		}
	}
	if got.err != nil && !errors.Is(got.err, ErrShort) {
		yield(none, got.err)
	}
	return got.err == nil
}
