/** Which media path a program is to use. `auto`: native where it works. */
export type PlaneChoice = 'auto' | 'native' | 'portable'
