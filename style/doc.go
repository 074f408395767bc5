// Package style paints pictures. It minimises
//
//	total = alpha * content + beta * style + tv
//
// over the pixels of a picture, where content and style are distances between features
// of a convolutional network (Gatys, Ecker, Bethge, CVPR 2016). It is the API for Go
// programs:
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
// Decode, Encode, FromImage and Picture.Image work with package io and package image. A
// Painter calls the functions Art, Texture, Patch, Doodle and Analogy. Programs that
// keep the network and the device themselves may call them too.
//
// The files:
//
//	painter.go               the object that programs keep
//	options.go               every parameter
//	presets.go               the defaults, and the values that reproduce other systems
//	validate.go              the checks of parameters
//	plan.go                  the scales, before anything is allocated
//	engine.go, loop.go       run the scales, and the iterations of a scale
//	loss_objective.go        the losses of a scale
//	loss_target.go           the paintings' statistics, which are their targets
//	modes.go                 the inputs of Patch, Doodle and Analogy
//	patch_views.go           the turned and resized copies of paintings
//	patch_maps.go            joins maps to features
//	patch_loss.go, patch_analogy.go  the losses of patches
//	patch_correspondence.go  reports the matches
//	memory.go                counts the memory beforehand and chooses the tiles
//	plan_work.go, plan_seconds.go  count the work beforehand and estimate the time
//	tile_pass.go             computes tile by tile
//	tile_objective.go        adds up losses and gradients of tiles
//	checkpoint.go            saves and reads the state of a run
//	nnst*.go                 the method of nearest neighbours
//	film_temporal.go         keeps a frame near the one before it
//	film_sequence.go         paints the frames of a shot in order
//
// It imports vgg, gpu, internal/picture and internal/flow; the command imports it.
package style
