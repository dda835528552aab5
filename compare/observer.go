package compare

// observe returns what tracing costs on both sides; nil unless it is known of both.
func observe(p pair, budget float64) *Observer {
	base, baseOK := p.base.observerPercent()
	comp, compOK := p.comp.observerPercent()
	if !baseOK || !compOK {
		return nil
	}
	return &Observer{base, comp, max(base, comp) > budget}
}

// observerPercent returns how much longer than bare loads traced ones take, by their
// medians; not ok where there are not both.
func (s *subject) observerPercent() (percent float64, ok bool) {
	if s.observer == nil {
		return 0, false
	}
	return 100 * (s.observer.Ratio - 1), true
}
