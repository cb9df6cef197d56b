/** Icons are decoration: whatever they say stands beside them in words, or in the name of their button. */
import type { VNode } from 'preact'

const PATHS = {
  mute: 'M15 9.3V5a3 3 0 0 0-5.9-.7M9 9v3a3 3 0 0 0 4.6 2.5M19 11v1a7 7 0 0 1-.6 2.8M16.2 17.4A7 7 0 0 1 5 12v-1M12 19v3M3 3l18 18',
  microphone: 'M12 2a3 3 0 0 0-3 3v7a3 3 0 0 0 6 0V5a3 3 0 0 0-3-3M19 11v1a7 7 0 0 1-14 0v-1M12 19v3',
  leave: 'M3.5 14.5c4.7-4.7 12.300-4.700 17 0l-2.600 2.600-3.300-1.700v-2.600a9.500 9.500 0 0 0-5.200 0v2.600l-3.300 1.700z',
  keypad: 'M6 5h.01M12 5h.01M18 5h.01M6 11h.01M12 11h.01M18 11h.01M6 17h.01M12 17h.01M18 17h.01',
  gear: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM19 12l2-1-1-3-2.200.300-1.500-1.500L16.500 4.500l-3-1.500-1.500 2-1.500-2-3 1.500.200 2.300L6.200 8.300 4 8l-1 3 2 1-2 1 1 3 2.200-.300 1.500 1.500-.200 2.300 3 1.500 1.500-2 1.500 2 3-1.500-.200-2.300 1.500-1.500 2.200.300 1-3z',
  phone: 'M5 3h4l2 5-2.500 1.500a11 11 0 0 0 6 6L16 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 5a2 2 0 0 1 2-2',
  door: 'M4 21h16M6 21V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v17M14.500 12h.01',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2 21v-1a6 6 0 0 1 6-6h2a6 6 0 0 1 6 6v1M16 3.200a4 4 0 0 1 0 7.600M18 14.300a6 6 0 0 1 4 5.700v1',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  play: 'M7 4l13 8-13 8z',
  pause: 'M8 5v14M16 5v14',
  stop: 'M6 6h12v12H6z',
  check: 'M4 12.500l5.500 5.500L20 6.500',
  warning: 'M12 3L2 20h20zM12 10v4M12 17h.01',
  echo: 'M4 9v6M8 6v12M12 3v18M16 7v10M20 10v4',
  volume: 'M4 9v6h4l5 4V5L8 9zM17 8a5.500 5.500 0 0 1 0 8',
  flag: 'M5 22V4M5 4h12l-2 4 2 4H5',
  lock: 'M6 11h12v10H6zM8.500 11V7a3.500 3.500 0 0 1 7 0v4',
  hand: 'M12 5v14M5 12l7-7 7 7',
} as const
export type IconName = keyof typeof PATHS

export const Icon = ({ name }: { readonly name: IconName }): VNode => (
  <svg class={name === 'keypad' || name === 'more' ? 'icon dotted' : 'icon'} viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d={PATHS[name]} /></svg>
)

/** The label of a call as a shape: full, half, broken, dotted. Not everybody sees colours. */
export function Shape({ privacy }: { readonly privacy: 'sealed' | 'bridged' | 'open' | 'none' }): VNode {
  return (
    <svg class="shape" viewBox="0 0 64 64" aria-hidden="true" focusable="false" data-shape={privacy}>
      {privacy === 'sealed' && <><circle cx="32" cy="32" r="29" class="fill" /><path d="M18.500 33l9 9 18.500-20" class="cut" /></>}
      {privacy === 'bridged' && <><circle cx="32" cy="32" r="27" class="line" /><path d="M32 5a27 27 0 0 1 0 54z" class="fill" /></>}
      {privacy === 'open' && <><path d="M32 6L60 56H4z" class="line" /><path d="M32 25v14M32 47v.1" class="line" /></>}
      {privacy === 'none' && <circle cx="32" cy="32" r="27" class="line dotted" />}
    </svg>
  )
}
