// Package style paints: it minimises
//
//	total = alpha * content + beta * style + tv
//
// over the pixels of a picture, where content and style are distances between
// features of a convolutional network (Gatys, Ecker, Bethge, CVPR 2016). It is
// the API for Go programs:
//
//	painter, err := style.NewPainter(ctx) // installed weights, else the built-in mini
//	if err != nil { ... }
//	defer painter.Close()
//	photo, err := style.Open("photo.jpg")
//	if err != nil { ... }
//	painting, err := style.Open("painting.jpg")
//	if err != nil { ... }
//	result, err := painter.Art(ctx,
//		style.Inputs{Content: photo, Styles: []*style.Picture{painting}},
//		style.WithSize("512"))
//	if err != nil { ... }
//	err = style.Save("out.png", result.Picture)
//
// Decode, Encode, FromImage and Picture.Image join it to io and image. The
// functions Art, Texture, Patch, Doodle and Analogy are what a Painter calls,
// for programs that keep network and device themselves.
//
// The parts: painter.go is the object that programs keep; options.go names every parameter, presets.go the values that
// reproduce other systems, validate.go what cannot be; plan.go lays out the
// scales before anything is allocated; engine.go goes through them and loop.go
// through the iterations of one; loss_objective.go holds the losses of one scale and
// loss_target.go the paintings' statistics they aim at. Of patches: modes.go says what
// Patch, Doodle and Analogy take, patch_views.go how paintings are looked at, patch_maps.go
// how maps join features, patch_loss.go and patch_analogy.go hold the losses, and
// patch_correspondence.go what is told of the matches.
//
// What lets pictures be larger than memory and renders longer than a power cut:
// memory.go says beforehand what will be held and chooses the tiles, tile_pass.go
// cuts, tile_objective.go puts losses and gradients together again, checkpoint.go writes
// down where a run stands.
//
// Of films: film_temporal.go holds a frame near the one before it, film_sequence.go paints
// the frames of a shot in order.
//
// It imports vgg, gpu, internal/picture and internal/flow; the command imports it.
package style
