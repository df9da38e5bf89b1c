import * as React from 'react';
import { Cells } from '../../components/cellLink';
import { LineForm } from '../../components/lineForm';
import { useTranslation } from '../../components/translation';
import type { IQuestion } from '../../models';
import { answersOf } from './edits';
import type { EnvironmentModel } from './model';

/** Modules that may come from several packages, or from none that is known. */
export function Questions(props: {
  model: EnvironmentModel;
  questions: readonly IQuestion[];
}): JSX.Element | null {
  const { model, questions } = props;
  const answers = answersOf(model.edits);
  if (questions.length === 0) {
    return null;
  }
  return (
    <>
      {questions.map(question => (
        <Question
          key={question.module}
          question={question}
          answer={answers[question.module] ?? ''}
          onAnswer={distribution =>
            model.edit({
              kind: 'answer',
              module: question.module,
              distribution
            })
          }
        />
      ))}
    </>
  );
}

function Question(props: {
  question: IQuestion;
  answer: string;
  onAnswer: (distribution: string) => void;
}): JSX.Element {
  const trans = useTranslation();
  const id = React.useId();
  const { question, answer, onAnswer } = props;
  const { module, candidates, cells, why } = question;
  return (
    <fieldset
      className="jp-Mlops-card jp-Mlops-question"
      aria-describedby={`${id}-why`}
    >
      <legend>{trans.__('Which package has the module %1?', module)}</legend>
      <p className="jp-Mlops-help" id={`${id}-why`}>
        {why} <Cells cells={cells} />
      </p>
      {candidates.map(candidate => (
        <label key={candidate} className="jp-Mlops-choice">
          <input
            type="radio"
            name={id}
            value={candidate}
            checked={answer === candidate}
            onChange={() => onAnswer(candidate)}
          />
          {candidate}
        </label>
      ))}
      <OtherAnswer
        module={module}
        answer={candidates.includes(answer) ? '' : answer}
        isOnly={candidates.length === 0}
        onAnswer={onAnswer}
      />
    </fieldset>
  );
}

/** A package that is not among the candidates. */
function OtherAnswer(props: {
  module: string;
  answer: string;
  isOnly: boolean;
  onAnswer: (distribution: string) => void;
}): JSX.Element {
  const trans = useTranslation();
  const { module, answer, isOnly, onAnswer } = props;
  return (
    <LineForm
      formLabel={trans.__('Another package for %1', module)}
      label={isOnly ? trans.__('Package') : trans.__('Another package')}
      placeholder={trans.__('its name on the index')}
      value={answer}
      action={trans.__('Use')}
      actionLabel={trans.__('Use this package for %1', module)}
      onSubmit={name => {
        if (name) {
          onAnswer(name);
        }
      }}
    />
  );
}
