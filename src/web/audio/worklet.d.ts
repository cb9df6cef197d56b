/** What the scope of an audio worklet has and the DOM library does not declare. */
declare const sampleRate: number
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort
  abstract process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void
declare module '*?worker&url' {
  const url: string
  export default url
}
