/** Keys and certificates for specs over TLS: EC P-256, for tests only, valid from 2020 to 2120 unless the name says otherwise. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A private key and its certificate, as PEM: what `tls` and sluice take as `key` and `cert`. */
export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

function pem(name: string): string {
  return readFileSync(join(process.cwd(), 'spec', 'support', 'tls', `${name}.pem`), 'utf8');
}

function keyPair(name: string): KeyPair {
  return { key: pem(`${name}.key`), cert: pem(`${name}.cert`) };
}

/** The authority that signed every certificate here: pass it as `ca` to trust them. */
export const ca: string = pem('ca.cert');

/** For `localhost`, `127.0.0.1` and `::1`. */
export const serverPair: KeyPair = keyPair('server');

/** Like {@link serverPair}, but it ended with the year 2020. */
export const expiredPair: KeyPair = keyPair('expired');

/** For `other.example` only. */
export const otherHostPair: KeyPair = keyPair('other-host');

/** A client's: for servers that set `requestCert`. */
export const clientPair: KeyPair = keyPair('client');
