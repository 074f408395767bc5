package picture

import "math"

// mat3 is a 3x3 matrix, row by row.
type mat3 [3][3]float64

func (a mat3) mul(b mat3) mat3 {
	var m mat3
	for r := range 3 {
		for c := range 3 {
			m[r][c] = a[r][0]*b[0][c] + a[r][1]*b[1][c] + a[r][2]*b[2][c]
		}
	}
	return m
}

// inverse returns the inverse, computed by cofactors. The matrix must not be
// singular.
func (a mat3) inverse() mat3 {
	var m mat3
	for r := range 3 {
		for c := range 3 { // cofactor of (c, r), so that the result is transposed
			r1, r2, c1, c2 := (c+1)%3, (c+2)%3, (r+1)%3, (r+2)%3
			m[r][c] = a[r1][c1]*a[r2][c2] - a[r1][c2]*a[r2][c1]
		}
	}
	det := a[0][0]*m[0][0] + a[0][1]*m[1][0] + a[0][2]*m[2][0]
	for r := range 3 {
		for c := range 3 {
			m[r][c] /= det
		}
	}
	return m
}

// eigen returns the eigenvalues of the symmetric matrix a and, as columns, its
// orthonormal eigenvectors, by cyclic Jacobi rotations (Golub and Van Loan, 8.5).
// Eight sweeps are twice as many as a 3x3 matrix needs.
func (a mat3) eigen() ([3]float64, mat3) {
	v := mat3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	for range 8 {
		for _, pq := range [3][2]int{{0, 1}, {0, 2}, {1, 2}} {
			p, q := pq[0], pq[1]
			if a[p][q] == 0 {
				continue
			}
			theta := (a[q][q] - a[p][p]) / (2 * a[p][q])
			t := math.Copysign(1, theta) / (math.Abs(theta) + math.Hypot(theta, 1))
			c := 1 / math.Hypot(t, 1)
			s := t * c
			rot := mat3{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
			rot[p][p], rot[q][q], rot[p][q], rot[q][p] = c, c, s, -s
			a = rot.transpose().mul(a).mul(rot)
			v = v.mul(rot)
		}
	}
	return [3]float64{a[0][0], a[1][1], a[2][2]}, v
}

func (a mat3) transpose() mat3 {
	return mat3{
		{a[0][0], a[1][0], a[2][0]},
		{a[0][1], a[1][1], a[2][1]},
		{a[0][2], a[1][2], a[2][2]},
	}
}

// spectral returns V f(L) V' for the symmetric matrix a = V L V'.
func (a mat3) spectral(f func(float64) float64) mat3 {
	l, v := a.eigen()
	var d mat3
	for i := range 3 {
		d[i][i] = f(l[i])
	}
	return v.mul(d).mul(v.transpose())
}
