// Package film reads frames from films and from numbered pictures, finds where one
// shot ends and the next begins, and makes films of frames.
//
// It reads and writes films with the programs ffmpeg and ffprobe. They run as
// separate processes and exchange raw frames through pipes. The package links none
// of their code. Numbered pictures need neither program. Of Impasto it imports
// internal/picture only.
package film
