import { inOneLine } from '../../base/excerpt.js';
import { SchemaError, UsageError } from '../../protocol/errors.js';
import type { Codec, InvalidHandler, InvalidPolicy } from './codec.js';
import type { SchemaInput, SchemaIssue, SchemaOutput, StandardSchema } from './standard-schema.js';

/** Options of {@link json}. */
export interface JsonOptions<S extends StandardSchema = StandardSchema> {
  /** What happens to a message that is not JSON or does not fit the schema. @default 'close' */
  readonly invalid?: InvalidPolicy | InvalidHandler;
  /** The schema of sent values: it types and checks each value. @default the input of the schema of received values, unchecked */
  readonly outgoing?: S;
}

/**
 * Creates a codec for JSON in text messages. With a schema (zod, valibot, arktype or any other of Standard Schema) each received value
 * is checked, and transformed if the schema does so; without one, its type is that of the type argument, unchecked.
 *
 * A binary message, text that is not JSON, and a value that does not fit are invalid: see `Codec.invalid`. A schema that validates
 * asynchronously closes the connection with 1011 and a `UsageError` ASYNC_SCHEMA: instead, validate after `messages$` with `demandMap`,
 * which holds the connection meanwhile.
 *
 * @example serve(8080).pipe(map(withCodec(json(ChatMessage)))).subscribe((conn) => conn.send.next({ text: 'hello' }));
 */
export function json<I = unknown, O = I>(options?: Omit<JsonOptions, 'outgoing'>): Codec<I, O>;
export function json<I = unknown, O = I>(schema: undefined, options?: Omit<JsonOptions, 'outgoing'>): Codec<I, O>;
export function json<S extends StandardSchema>(
  schema: S,
  options?: Omit<JsonOptions, 'outgoing'>,
): Codec<SchemaOutput<S>, SchemaInput<S>>;
export function json<S extends StandardSchema, T extends StandardSchema>(
  schema: S,
  options: JsonOptions<T> & { readonly outgoing: T },
): Codec<SchemaOutput<S>, SchemaInput<T>>;
export function json(
  schemaOrOptions: StandardSchema | JsonOptions | undefined,
  optionsAfter: JsonOptions = {},
): Codec<unknown, unknown> {
  const isFirst = schemaOrOptions !== undefined && !isSchema(schemaOrOptions);
  const schema = isFirst ? undefined : schemaOrOptions;
  const { outgoing, invalid = 'close' } = isFirst ? schemaOrOptions : optionsAfter;
  const codec: Codec<unknown, unknown> = {
    invalid,
    decode: (message) => {
      if (typeof message !== 'string') throw new TypeError('expected JSON in a text message, got a binary message');
      return checked(schema, parsed(message));
    },
    encode: (value) => {
      const text = JSON.stringify(checked(outgoing, value)) as string | undefined;
      if (text === undefined) throw new TypeError(`expected a value that JSON can represent, got ${typeof value}`);
      return text;
    },
  };
  // The name that connections print.
  return Object.defineProperty(codec, Symbol.toStringTag, { value: 'json' });
}

/** Parses `text`. The SyntaxError of `JSON.parse` quotes the peer's bytes and may be logged, so its message is put in one line. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(inOneLine((error as SyntaxError).message));
  }
}

/** arktype's schemas are functions. */
function isSchema(value: StandardSchema | JsonOptions): value is StandardSchema {
  return '~standard' in value;
}

function checked(schema: StandardSchema | undefined, value: unknown): unknown {
  if (schema === undefined) return value;
  const result = schema['~standard'].validate(value);
  if ('then' in result) {
    // The value is refused, whatever the result.
    result.then(undefined, () => {});
    const { vendor } = schema['~standard'];
    throw new UsageError(
      'ASYNC_SCHEMA',
      `the schema (${vendor}) must validate synchronously: use demandMap on messages$ for asynchronous validation`,
    );
  }
  if (result.issues !== undefined) throw new SchemaError(result.issues.map(plainIssue));
  return result.value;
}

function plainIssue({ message, path = [] }: SchemaIssue): SchemaError['issues'][number] {
  return { message, path: path.map((step) => (typeof step === 'object' ? step.key : step)) };
}
