/**
 * What is captured, and the signature of a service: the same nouns as in Python.
 */

/** A name of the notebook that could be captured. */
export interface IPickable {
  name: string;
  type: string;
  /** In bytes, in memory. */
  size: number | null;
  shape: number[] | null;
  /** Empty where `reason` says why it cannot be saved, or nothing is known. */
  format: string;
  /** The code cell, counted from 1, that gives it its last value. */
  cell: number | null;
  needed: boolean;
  declared: boolean;
  reason: string;
}

/** The names of a notebook; `note` says why its kernel was not asked. */
export interface IPick {
  names: IPickable[];
  live: boolean;
  note: string;
}

/** A named value saved from a run. */
export interface ICapture {
  name: string;
  kind: string;
  type: string;
  cell?: number | null;
  /** How it is kept; known after the run. Loading a `pickle` runs its code. */
  format?: string;
}

export interface IPredictor {
  kind: 'function' | 'estimator' | 'none';
  name: string;
}

/** The inputs of a service; `rows` says what the predictor was made with. */
export interface ISignature {
  inputs: IColumn[];
  rows: string;
}

/** A column of a service's inputs; a range alone refuses nothing. */
export interface IColumn {
  name: string;
  dtype: string;
  required?: boolean;
  categories?: unknown[] | null;
  minimum?: number | null;
  maximum?: number | null;
  limit?: boolean;
  allowed?: unknown[] | null;
  description?: string;
}
