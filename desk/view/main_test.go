package view_test

import "context"

// background is for what several tests share, which must not end with one of them.
func background() context.Context { return context.Background() }
