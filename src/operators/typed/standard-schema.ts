/**
 * The interface of Standard Schema, version 1 (standardschema.dev), as far as validation needs it: what zod, valibot, arktype and
 * others offer, so that sluice depends on none of them.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What the validator offers under the standard. */
  readonly '~standard': {
    /** The version of the standard. */
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    /** Validates a value, and transforms it where the schema says so. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Never there at run time: carries the types. */
    readonly types?:
      | {
          /** What it takes. */
          readonly input: Input;
          /** What it gives. */
          readonly output: Output;
        }
      | undefined;
  };
}

/** What a validation gives: a value, or issues. */
export type SchemaResult<Output> =
  | {
      /** What the schema made of it. */
      readonly value: Output;
      /** There are none. */
      readonly issues?: undefined;
    }
  | {
      /** All that is wrong. */
      readonly issues: readonly SchemaIssue[];
    };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where, from the outermost key on. */
  readonly path?: readonly (PropertyKey | SchemaPathStep)[] | undefined;
}

/** One step of the path of an issue, where a library says more than the key. */
export interface SchemaPathStep {
  /** The key. */
  readonly key: PropertyKey;
}

/** What a schema takes. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['input'];

/** What a schema gives. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];
