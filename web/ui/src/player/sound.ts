// The microphones: each through a gain of its own and a meter, so that one can be heard alone.

export interface Channel { gain: number; muted: boolean; solo: boolean }

interface Wired { gain: GainNode; meter: AnalyserNode; samples: Float32Array<ArrayBuffer> }

export class Sound {
  readonly channels = new Map<string, Channel>();
  private context: AudioContext | undefined;
  private readonly wired = new Map<string, Wired>();

  constructor(private readonly elements: Map<string, HTMLMediaElement>) {
    for (const name of elements.keys()) this.channels.set(name, { gain: 1, muted: false, solo: false });
  }

  // Browsers allow sound only after a person acted: called from the play button.
  start(): void {
    if (!this.context) {
      this.context = new AudioContext();
      for (const [name, element] of this.elements) this.wire(name, element);
    }
    if (this.context.state === "suspended") void this.context.resume();
  }

  private wire(name: string, element: HTMLMediaElement): void {
    const context = this.context!;
    const gain = context.createGain();
    const meter = context.createAnalyser();
    meter.fftSize = 1024;
    context.createMediaElementSource(element).connect(gain);
    gain.connect(meter);
    meter.connect(context.destination);
    this.wired.set(name, { gain, meter, samples: new Float32Array(meter.fftSize) });
    this.apply();
  }

  set(name: string, change: Partial<Channel>): void {
    const channel = this.channels.get(name);
    if (channel) Object.assign(channel, change);
    this.apply();
  }

  audible(name: string): boolean {
    const channel = this.channels.get(name);
    if (!channel) return false;
    const anySolo = [...this.channels.values()].some((c) => c.solo);
    return anySolo ? channel.solo : !channel.muted;
  }

  private apply(): void {
    for (const [name, { gain }] of this.wired) {
      const value = this.audible(name) ? this.channels.get(name)!.gain : 0;
      gain.gain.setTargetAtTime(value, this.context!.currentTime, 0.01);
    }
  }

  // 0..1 on a decibel scale from -60 to 0, as meters show it.
  level(name: string): number {
    const wired = this.wired.get(name);
    if (!wired) return 0;
    wired.meter.getFloatTimeDomainData(wired.samples);
    let sum = 0;
    for (const sample of wired.samples) sum += sample * sample;
    const decibel = 10 * Math.log10(sum / wired.samples.length + 1e-12);
    return Math.max(0, Math.min(1, (decibel + 60) / 60));
  }

  close(): void {
    void this.context?.close();
  }
}
