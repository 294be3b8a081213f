/** The admin key that the first start of an installation generates; it is printed once and not stored. */
export class BootstrapAdminKey {
  constructor(private key: string | undefined) {}

  /** The key at the first call in the process that generated it; afterwards undefined. */
  takeOnce(): string | undefined {
    const { key } = this;
    this.key = undefined;
    return key;
  }
}
