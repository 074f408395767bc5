package gpu

func (b *Device) Join(dst, f, m *Array, scale float64, unit bool) {
	panic("gpu: Join on a device: not there yet")
}
func (b *Device) NewBank(f *Array, o BankOptions) *Bank {
	panic("gpu: NewBank on a device: not there yet")
}
func (b *Device) FillBank(bank *Bank, f *Array) { panic("gpu: FillBank on a device: not there yet") }
func (b *Device) NewMatches(Shape) *Matches     { panic("gpu: NewMatches on a device: not there yet") }
func (b *Device) NewPruning(x *Array, banks []*Bank, stride int, slack float64) []*Pruning {
	panic("gpu: NewPruning on a device: not there yet")
}
func (b *Device) Match(m *Matches, x *Array, bank *Bank, o MatchOptions) {
	panic("gpu: Match on a device: not there yet")
}
func (b *Device) Cosines(m *Matches, x *Array, size, stride int) {
	panic("gpu: Cosines on a device: not there yet")
}
func (b *Device) MatchBias(bias *Array, m *Matches, scale float64) {
	panic("gpu: MatchBias on a device: not there yet")
}
func (b *Device) PatchLoss(dx, f *Array, m *Matches, from []PatchSource, o PatchOptions, coef float64, slot int) {
	panic("gpu: PatchLoss on a device: not there yet")
}
func (b *Device) Vote(dst *Array, m *Matches, from []PatchSource, o PatchOptions) {
	panic("gpu: Vote on a device: not there yet")
}
func (b *Device) UploadMatches(m *Matches, index []int32, score []float32) {
	panic("gpu: UploadMatches on a device: not there yet")
}
func (b *Device) DownloadMatches(index []int32, score []float32, m *Matches) {
	panic("gpu: DownloadMatches on a device: not there yet")
}
func (b *Device) FreeBanks(...*Bank)      {}
func (b *Device) FreeMatches(...*Matches) {}
