import React from 'react';

interface Props { title: string; onClose?: () => void }

/** A panel. */
export const Panel: React.FC<Props> = ({ title, ...rest }) => {
  const [open, setOpen] = useState<boolean>(false);
  const toggle = () => setOpen(!open);
  return (
    <section onClick={toggle}>
      <Header<string> text={title} {...rest} />
      {open && <Body.Row />}
    </section>
  );
};

export function List<T,>({ items }: { items: T[] }) {
  return <>{items.map((i) => <Row key={String(i)} />)}</>;
}

const Memo = React.memo(function Inner() { return <Panel title="x" />; });
export default Memo;
