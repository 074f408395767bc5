package gpu

func (b *Device) Sample(dst, src *Array, g Grid) {
	checkSample("Sample", dst, src, g)
	launch := kernelFor(b.halves(dst.Shape), b.launchSample, b.launchSampleHalf)
	n := dst.Shape.Len()
	launch(blocksFor(n, 256), dst.at, src.at, dst.Shape.W, src.Shape.W, dst.Shape.C, g.Y, g.X, g.Step, n)
}

func (b *Device) AddSample(dst, src *Array, g Grid) {
	checkSample("AddSample", src, dst, g)
	launch := kernelFor(b.halves(dst.Shape), b.launchAddSample, b.launchAddSampleHalf)
	n := src.Shape.Len()
	launch(blocksFor(n, 256), dst.at, src.at, src.Shape.W, dst.Shape.W, dst.Shape.C, g.Y, g.X, g.Step, n)
}

func (b *Device) AddChannels(dst *Array, a float64, m *Array) {
	checkAddChannels(dst, m)
	n := dst.Shape.Len()
	if b.halves(dst.Shape) {
		b.launchAddChannelsHalf(blocksFor(n, 256), dst.at, m.at, float32(a)/halfUnit, dst.Shape.C, n)
		return
	}
	b.launchAddChannels(blocksFor(n, 256), dst.at, m.at, float32(a), dst.Shape.C, n)
}
