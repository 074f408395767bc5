package gpu

func (b *Device) NewAdam(s Shape, o AdamOptions) Optimizer {
	panic("gpu: Adam on a device: not there yet")
}
func (b *Device) NewLBFGS(s Shape, o LBFGSOptions) Optimizer {
	panic("gpu: L-BFGS on a device: not there yet")
}
