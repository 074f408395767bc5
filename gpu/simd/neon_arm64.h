// Vector instructions that this assembler has no names for, by the numbers of their
// registers, the destination first. Lanes are four float32 unless said otherwise.

#define FADD(d, n, m)   WORD $(0x4e20d400 | (m)<<16 | (n)<<5 | (d))
#define FSUB(d, n, m)   WORD $(0x4ea0d400 | (m)<<16 | (n)<<5 | (d))
#define FMUL(d, n, m)   WORD $(0x6e20dc00 | (m)<<16 | (n)<<5 | (d))
#define FMLA(d, n, m)   WORD $(0x4e20cc00 | (m)<<16 | (n)<<5 | (d))
#define FMLS(d, n, m)   WORD $(0x4ea0cc00 | (m)<<16 | (n)<<5 | (d))
#define FMAXNM(d, n, m) WORD $(0x4e20c400 | (m)<<16 | (n)<<5 | (d))
#define FMAXNMV(d, n)   WORD $(0x6e30c800 | (n)<<5 | (d))

// All ones where n > m, n == m, n < 0, n > 0.
#define FCMGT(d, n, m) WORD $(0x6ea0e400 | (m)<<16 | (n)<<5 | (d))
#define FCMEQ(d, n, m) WORD $(0x4e20e400 | (m)<<16 | (n)<<5 | (d))
#define FCMLT0(d, n)   WORD $(0x4ea0e800 | (n)<<5 | (d))
#define FCMGT0(d, n)   WORD $(0x4ea0c800 | (n)<<5 | (d))

#define MOVV(d, n)    WORD $(0x4ea01c00 | (n)<<16 | (n)<<5 | (d))
#define ANDV(d, n, m)  WORD $(0x4e201c00 | (m)<<16 | (n)<<5 | (d))
#define BICV(d, n, m)  WORD $(0x4e601c00 | (m)<<16 | (n)<<5 | (d))  // n &^ m
#define ORRV(d, n, m)  WORD $(0x4ea01c00 | (m)<<16 | (n)<<5 | (d))
#define ORNV(d, n, m)  WORD $(0x4ee01c00 | (m)<<16 | (n)<<5 | (d))  // n | ^m
#define BITV(d, n, m)  WORD $(0x6ea01c00 | (m)<<16 | (n)<<5 | (d))  // n where m

// Eight lanes of 16 bits: the even ones of n then m, lanes 0-3 and 4-7 of n twice
// each, equal lanes, the sum; and 16 of 8 bits: the even ones, pairwise sums.
#define UZP8(d, n, m)  WORD $(0x4e401800 | (m)<<16 | (n)<<5 | (d))
#define LOW8(d, n)     WORD $(0x4e403800 | (n)<<16 | (n)<<5 | (d))
#define HIGH8(d, n)    WORD $(0x4e407800 | (n)<<16 | (n)<<5 | (d))
#define CMEQ8(d, n, m) WORD $(0x6e608c00 | (m)<<16 | (n)<<5 | (d))
#define ADDV8(d, n)    WORD $(0x4e71b800 | (n)<<5 | (d))
#define UZP16(d, n, m) WORD $(0x4e001800 | (m)<<16 | (n)<<5 | (d))
#define ADDP16(d, n)   WORD $(0x4e20bc00 | (n)<<16 | (n)<<5 | (d))

// Two lanes of float64: n's lower and upper two float32; d += n*m; n + m; n's sum.
#define FCVTL(d, n)      WORD $(0x0e617800 | (n)<<5 | (d))
#define FCVTL2(d, n)     WORD $(0x4e617800 | (n)<<5 | (d))
#define FMLA2(d, n, m)   WORD $(0x4e60cc00 | (m)<<16 | (n)<<5 | (d))
#define FADD2(d, n, m)   WORD $(0x4e60d400 | (m)<<16 | (n)<<5 | (d))
#define FADDP2(d, n)     WORD $(0x7e70d800 | (n)<<5 | (d))
