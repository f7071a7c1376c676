import type { SchemaIssue, StandardSchema } from 'sluice';

/** A schema by hand: an object whose fields have these types. `date` is transformed to a Date, and sent as one. */
export type Fields = Readonly<Record<string, 'string' | 'number' | 'date'>>;

interface FieldTypes {
  string: string;
  number: number;
  date: Date;
}

interface SentTypes {
  string: string;
  number: number;
  date: string | Date;
}

/** A validator as libraries of Standard Schema make them. */
export function objectOf<F extends Fields>(
  fields: F,
): StandardSchema<{ [K in keyof F]: SentTypes[F[K]] }, { [K in keyof F]: FieldTypes[F[K]] }> {
  return {
    '~standard': {
      version: 1,
      vendor: 'by-hand',
      validate: (value) => {
        if (typeof value !== 'object' || value === null)
          return { issues: [{ message: `expected object, found ${value}` }] };
        const issues: SchemaIssue[] = [];
        const result: Record<string, unknown> = {};
        for (const [key, type] of Object.entries(fields)) {
          const field = (value as Record<string, unknown>)[key];
          if (typeof field !== (type === 'number' ? 'number' : 'string')) {
            issues.push({ message: `expected ${type}, found ${typeof field}`, path: [{ key }] });
          } else result[key] = type === 'date' ? new Date(field as string) : field;
        }
        return issues.length > 0 ? { issues } : { value: result as never };
      },
    },
  };
}

/** A schema that takes its time. */
export function slowly<T>(result: Promise<{ readonly value: T }>): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'slow', validate: () => result } };
}
