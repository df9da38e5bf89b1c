/**
 * The code of a service, as a notebook's text says it: the nouns of Python.
 */

/** What would answer, and the text of `service.py`. */
export interface IServiceCode {
  /**
   * A `function` is the notebook's own, sliced; a `candidate` is made of its
   * cells, and the run proves this one, another or none; an `estimator`
   * answers without code, and with `none` nothing answers.
   */
  kind: 'function' | 'candidate' | 'estimator' | 'none';
  function: string;
  /** As it is called, such as `predict(rows)`. */
  call: string;
  source: string;
  /** The names whose value comes from the run. */
  captured: string[];
  /** The code cells, counted from 1, that the text is from. */
  cells: number[];
  /** What a candidate asks, and the estimator that answers. */
  model: string;
}
