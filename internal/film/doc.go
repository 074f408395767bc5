// Package film reads frames from films and from numbered pictures, finds where
// one shot ends and the next begins, and makes films of frames.
//
// Films go through the programs ffmpeg and ffprobe, which run beside this one
// with raw frames on pipes; nothing of them is linked. Numbered pictures need
// neither. Of Impasto it imports internal/picture only.
package film
