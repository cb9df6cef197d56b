/** A part that is drawn anew only when one of its properties is another. */
import { Component, type ComponentChildren, createElement, type FunctionComponent } from 'preact'

export function memo<P extends object>(part: FunctionComponent<P>): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: P & { children?: ComponentChildren }): boolean {
      const before = this.props as Record<string, unknown>
      const now = next as Record<string, unknown>
      return Object.keys({ ...before, ...now }).some((k) => before[k] !== now[k])
    }
    override render(): ComponentChildren {
      return createElement(part as FunctionComponent<object>, this.props)
    }
  }
  return Memo as unknown as FunctionComponent<P>
}
