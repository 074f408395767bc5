// Package style paints: it minimises alpha*content + beta*style + tv over the
// pixels of a picture, where content and style are distances between features
// of a convolutional network. It is the API for Go programs.
//
// It imports vgg, gpu and internal/picture; the command imports it.
package style
