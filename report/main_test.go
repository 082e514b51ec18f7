package report_test

import "context"

// background is of what is traced once for all tests.
var background = context.Background()
