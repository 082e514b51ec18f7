package chdbtest

// Rows is rows, which has no engine to come through where none is installed.
var Rows = rows
