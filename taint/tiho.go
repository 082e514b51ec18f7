package taint

// TIHO is taint in, highest out: as seniority, but the outputs of a UTXO
// transaction are served by value descending. On account chains it equals
// seniority. Source: Tironsakkul, Maarek, Eross, Just, "Probing the Mystery of
// Cryptocurrency Theft" (2019).
var TIHO = &Method{Name: "tiho", Serving: ByValue, Conserves: true, add: addSenior, draw: drawSenior, lack: cleanShortfall}
