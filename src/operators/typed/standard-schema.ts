/**
 * The part of Standard Schema, version 1 (standardschema.dev), that validation needs. zod, valibot, arktype and others implement it, so
 * sluice depends on none of them.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The properties of the standard. */
  readonly '~standard': {
    /** The version of the standard. */
    readonly version: 1;
    /** The name of the library. */
    readonly vendor: string;
    /** Validates a value, and transforms it if the schema does so. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Carries the types; always undefined at run time. */
    readonly types?:
      | {
          /** The type before validation. */
          readonly input: Input;
          /** The type after validation. */
          readonly output: Output;
        }
      | undefined;
  };
}

/** The result of a validation: a value, or issues. */
export type SchemaResult<Output> =
  | {
      /** The validated value. */
      readonly value: Output;
      /** Undefined if the value is valid. */
      readonly issues?: undefined;
    }
  | {
      /** All issues of the value. */
      readonly issues: readonly SchemaIssue[];
    };

/** An issue of a value. */
export interface SchemaIssue {
  /** What is wrong. */
  readonly message: string;
  /** The path to the wrong part, from the outermost key on. */
  readonly path?: readonly (PropertyKey | SchemaPathStep)[] | undefined;
}

/** A step of the path of an issue, if a library provides more than the key. */
export interface SchemaPathStep {
  /** The key. */
  readonly key: PropertyKey;
}

/** The input type of a schema. */
export type SchemaInput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['input'];

/** The output type of a schema. */
export type SchemaOutput<S extends StandardSchema> = NonNullable<S['~standard']['types']>['output'];
