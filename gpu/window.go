package gpu

// A window is the part of a large array that starts at row y and column x and has a
// smaller array's height and width. Images too large for one pass through the network
// are computed window by window.
//
// CopyWindow fills dst with the window of src. AddWindow adds src to the window of dst,
// in the order of the calls, so that windows may overlap.
//
// MoveLoss adds the loss in slot from to slot into and clears from. A term that is
// computed in parts writes the first part to its own slot. It writes each other part to
// a second slot and moves it from there. Loss and AddLoss do the same across backends.

func checkWindow(op string, large, small Shape, y, x int) {
	if small.C != large.C || y < 0 || x < 0 || y+small.H > large.H || x+small.W > large.W {
		fail(op, "%v at row %d, column %d is not within %v", small, y, x, large)
	}
}

func checkMoveLoss(into, from int) {
	checkSlot("MoveLoss", into)
	checkSlot("MoveLoss", from)
	if into == from {
		fail("MoveLoss", "slot %d into itself", into)
	}
}
