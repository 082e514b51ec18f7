package breaker

// expire lets go of what is older than the windows.
func (m *Machine) expire(minute int64) {
	window, long := minute-m.config.Window/60, minute-m.config.Long/60
	n := 0
	for ; n < len(m.flow) && m.flow[n].minute <= window; n++ {
		m.inflow -= m.flow[n].cents
	}
	m.flow = m.flow[n:]
	for ; m.windowHead < len(m.records) && m.records[m.windowHead].moment/60 <= window; m.windowHead++ {
		m.leave(m.records[m.windowHead])
	}
	for ; m.markHead < len(m.marks) && m.marks[m.markHead].moment/60 <= window; m.markHead++ {
		m.outOfWindow(m.marks[m.markHead])
	}
	for n = 0; n < m.markHead && m.marks[n].moment/60 <= long; n++ {
		m.unmark(m.marks[n])
		m.marks[n] = nil
	}
	m.marks, m.markHead = m.marks[n:], m.markHead-n
	for n = 0; n < m.windowHead && m.records[n].moment/60 <= long; n++ {
		m.release(m.records[n])
		m.records[n] = nil
	}
	m.records, m.windowHead, m.passed = m.records[n:], m.windowHead-n, max(m.passed-n, 0)
}

// release takes an expired record off the books.
func (m *Machine) release(r *record) {
	if r.gone {
		m.forgotten--
		return
	}
	r.gone = true
	delete(m.byID, r.id)
}

// pour adds to the inflow.
func (m *Machine) pour(cents uint64) {
	minute := m.clock / 60
	if n := len(m.flow); n == 0 || m.flow[n-1].minute != minute {
		m.flow = append(m.flow, bucket{minute: minute})
	}
	last := &m.flow[len(m.flow)-1]
	before := last.cents
	last.cents = min(plus(last.cents, cents), maxInflow)
	m.inflow += last.cents - before
}

// maxInflow bounds what one minute counts as, so that a window's sum stays exact.
const maxInflow = 1 << 40

// keep remembers a record, so that labels and retractions reach it and it leaves the
// window in time. What is tainted has room of its own.
func (m *Machine) keep(r *record, taint []Taint) bool {
	room := m.config.Bounds.Events
	if len(m.byID) >= room {
		m.forget()
	}
	if len(taint) > 0 {
		room += m.config.Bounds.Marks
	}
	if len(m.byID) >= room {
		m.size.Overflow++
		return false
	}
	m.records = append(m.records, r)
	m.byID[r.id] = r
	return true
}

// forget drops the oldest event that is out of the window and of no incident. What it
// once passed over it does not look at again.
func (m *Machine) forget() {
	for ; m.passed < m.windowHead; m.passed++ {
		r := m.records[m.passed]
		if r.gone || len(r.marks) > 0 {
			continue
		}
		m.size.Forgotten++
		m.erase(r)
		return
	}
}

// erase takes a record out of the middle of the list.
func (m *Machine) erase(r *record) {
	r.gone = true
	delete(m.byID, r.id)
	m.forgotten++
	if m.forgotten < 64 || m.forgotten < len(m.records)/2 {
		return
	}
	kept, head, passed := make([]*record, 0, len(m.records)-m.forgotten), 0, 0
	for i, r := range m.records {
		if r.gone {
			continue
		}
		if i < m.windowHead {
			head++
		}
		if i < m.passed {
			passed++
		}
		kept = append(kept, r)
	}
	m.records, m.windowHead, m.passed, m.forgotten = kept, head, passed, 0
}
