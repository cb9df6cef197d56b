/** Hold and mute, as each side tells the other under the keys: in frames of control, as large and as many as those of voice. */
export interface Standing {
  readonly hold: boolean
  readonly mute: boolean
}
export const PRESENT: Standing = { hold: false, mute: false }

export const same = (a: Standing, b: Standing): boolean => a.hold === b.hold && a.mute === b.mute

/** What has changed at the other side, in words. */
export function changesOf(before: Standing, now: Standing): string[] {
  return [
    ...(now.hold === before.hold ? [] : [now.hold ? 'The other side holds the call' : 'The other side is back']),
    ...(now.mute === before.mute ? [] : [now.mute ? 'The other side is muted' : 'The other side can be heard again']),
  ]
}
