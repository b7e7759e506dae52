#!/usr/bin/env python3
"""Finds the coroutine shapes that g++ 12 miscompiles or that dangle on every compiler.

Reads text, not types, in a second: an aggregate in parentheses, or copied into the call, it cannot
see. Each rule is one sentence; the cure is nearly always to name the value in a statement before.

usage: brood-lint PATH...    C++ files, and all of them in folders; ends with 1 when it found some
"""

# Within brood's own sources, where this is tests/structure/coroutines.py:
#   coroutines.py                 all headers, tests, examples, benchmarks and documents
#   coroutines.py --samples FILE  every line with "// wrong: RULE" is found, and no other
# What needs types is in coroutines.query.

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = re.compile(r'\.([chit]pp|[ch]xx|cc|hh|h|C|cppm|ixx)')

RULES = {
    'macro': 'co_await inside a macro: an assertion of g++ 12 runs it three times',
    'short-circuit': 'co_await under && or ||: g++ 12 runs it although the condition says not to',
    'conditional': '?: in a statement with co_await: g++ 12 runs both sides or destroys one twice',
    'condition': 'a bare condition with co_await: g++ 12 makes nonsense of a coroutine without '
                 'variables: name the result',
    'braces': 'a braced temporary in a statement with co_await: g++ 12 destroys it twice',
    'capture': 'a capturing lambda in a statement with co_await: g++ 12 destroys it twice',
    'two': 'two co_await in one statement',
    'co_spawn': 'co_spawn(co_await ...): take the executor in a statement before',
    'dangling': 'a capturing coroutine lambda called at once: it outlives its captures',
    'tuple': 'auto [...] = co_await of a tuple: GCC 15 skips its destructor: name the tuple',
}

TOKEN = re.compile(r'''
      (?P<skip> \s+ | //[^\n]* | /\*.*?\*/ | \\\n | \[\[[^][]*\]\] )
    | (?P<directive> ^[ ]*\#(?:\\\n|[^\n])* )
    | (?P<text> (?:u8|[uUL])?R"(?P<raw>[^(\s]*)\(.*?\)(?P=raw)"
              | (?:u8|[uUL])?"(?:\\.|[^"\\\n])*"\w*
              | '(?:\\.|[^'\\\n])+' )
    | (?P<word> [A-Za-z_]\w* | \d(?:[\w.]|'\d)* )
    | (?P<sign> <=> | -> | :: | && | \|\| | [<>=!+\-*/%&|^]= | . )
    ''', re.VERBOSE | re.DOTALL | re.MULTILINE)

CLOSING = {'(': ')', '[': ']', '{': '}'}
# Classes that clean up nothing: their braces are safe, and read better than parentheses.
TRIVIAL = set('''duration seconds milliseconds microseconds nanoseconds minutes hours span
                 string_view monostate'''.split())


class Token:
    """A word or sign; a bracket holds what stands inside it as children."""

    def __init__(self, text, line, kind):
        self.text, self.line, self.kind, self.children = text, line, kind, []

    def __repr__(self):
        return self.text + (repr(self.children) if self.children else '')


def tokens(source):
    """The source as a tree: brackets hold their content."""
    stack, line = [Token('', 1, 'root')], 1
    for match in TOKEN.finditer(source):
        text, kind = match[0], match.lastgroup if match.lastgroup != 'raw' else 'text'
        if kind in ('word', 'text', 'sign'):
            token = Token(text if kind != 'text' else '"', line, kind)
            if text in CLOSING.values():
                if len(stack) > 1 and CLOSING[stack[-1].text] == text:
                    stack.pop()
            else:
                stack[-1].children.append(token)
                if text in CLOSING:
                    stack.append(token)
        line += text.count('\n')
    return stack[0].children


def is_lambda(some, n):
    """Whether some[n], a bracket, introduces a lambda: nothing that could be subscripted before."""
    before = some[n - 1] if n else None
    return some[n].text == '[' and (
        before is None or before.kind == 'sign' and before.text not in (')', ']', '(', '[') or
        before.text in ('return', 'co_return', 'co_await', 'co_yield'))


def lambda_end(some, n):
    """The place of the body of the lambda that some[n] introduces, or nothing."""
    for place in range(n + 1, len(some)):
        if some[place].text == '{':
            return place
        if some[place].text in (';', ',', '='):
            return None
    return None


def by_value(capture):
    """Whether a capture list copies or moves anything into the closure."""
    entry = []
    entries = [entry]
    for token in capture.children:
        if token.text == ',':
            entry = []
            entries.append(entry)
        else:
            entry.append(token.text)
    return any(e and e[0] != '&' and e != ['this'] for e in entries)


class Statement:
    """One full expression: its tokens, with the bodies of lambdas taken out and named."""

    def __init__(self, some, is_head=False):
        self.tokens = some
        self.is_head = is_head  # of if, while, for or switch

    def walk(self, some=None):
        """(siblings, place) of each token, but for those in bodies of lambdas."""
        some = self.tokens if some is None else some
        n = 0
        while n < len(some):
            yield some, n
            if is_lambda(some, n):
                body = lambda_end(some, n)
                if body is not None:
                    n = body + 1
                    continue
            yield from self.walk(some[n].children)
            n += 1

    def awaits(self):
        return [some[n] for some, n in self.walk() if some[n].text == 'co_await']


def holds_await(token):
    return any(True for some, n in Statement([token]).walk() if some[n].text == 'co_await')


def is_block(before):
    """Whether a brace after these tokens of a statement opens a block and not a value."""
    if not before:
        return True
    words = [token.text for token in without_template(before)]
    if not words or words[0] in ('namespace', 'class', 'struct', 'union', 'enum', 'extern'):
        return True
    # A bracket here is the list of parameters, or the head of a condition.
    if words[-1] in ('(', 'else', 'do', 'try', 'const', 'noexcept', 'override', 'final', 'mutable',
                     ':') or 'requires' in words:
        return True
    return '->' in words and '(' in words and '=' not in words and words[0] != 'return'


def without_template(some):
    """The tokens of a declaration behind its template <...>."""
    while some and some[0].text == 'template':
        depth = 0
        for n, token in enumerate(some):
            depth += (token.text == '<') - (token.text == '>')
            if n and depth == 0:
                break
        some = some[n + 1:]
    return some


def statements(some):
    """Every full expression below these tokens, those inside lambdas and blocks too."""
    current, n = [], 0

    def finish():
        nonlocal current
        done, current = current, []
        return [Statement(done)] if done else []

    while n < len(some):
        token = some[n]
        if token.text == ';':
            yield from finish()
        elif token.text == '{' and is_block(current):
            yield from finish()
            yield from statements(token.children)
        elif is_lambda(some, n) and (body := lambda_end(some, n)) is not None:
            yield from statements(some[body].children)
            current += some[n:body + 1]
            n = body
        else:
            current.append(token)
            yield from nested(token)
            if token.text == '(' and re.fullmatch('if|while|for|switch|constexpr',
                                                  current[-2].text if len(current) > 1 else ''):
                heads = [part.tokens for part in statements_of_head(token)]
                current = []
                for head in heads:
                    yield Statement(head, is_head=True)
        n += 1
    yield from finish()


def statements_of_head(bracket):
    """The parts between the semicolons of a for or if."""
    part = []
    for token in bracket.children + [Token(';', bracket.line, 'sign')]:
        if token.text == ';':
            if part:
                yield Statement(part)
            part = []
        else:
            part.append(token)


def nested(token):
    """The statements in bodies of lambdas anywhere inside a bracket."""
    some = token.children
    n = 0
    while n < len(some):
        body = lambda_end(some, n) if is_lambda(some, n) else None
        if body is not None:
            yield from statements(some[body].children)
            n = body
        else:
            yield from nested(some[n])
        n += 1


def after_operator(some, operators, resets):
    """The awaits that stand behind one of the operators, in these tokens or in their brackets."""
    behind = False
    for n, token in enumerate(some):
        if token.text in operators and not (token.text == '&&' and is_declarator(some, n)):
            behind = True
        elif token.text in resets:
            behind = False
        elif token.text == 'co_await' and behind:
            yield token
        if token.children and not (token.text == '{' and n and has_lambda_before(some, n)):
            if behind:
                yield from Statement(token.children).awaits()
            else:
                yield from after_operator(token.children, operators, resets)


def has_lambda_before(some, n):
    return any(is_lambda(some, m) and lambda_end(some, m) == n for m in range(n))


def is_declarator(some, n):
    """auto&& x, Type&& x: a reference and no operator."""
    before = some[n - 1].text if n else ''
    after = some[n + 1].text if n + 1 < len(some) else ''
    return before in ('auto', '>', 'const') or after in (',', '>', '[', ')', '...', '')


def found_in_statement(statement):
    """(line, rule) for each rule that this full expression breaks."""
    walked = list(statement.walk())
    awaits = [some[n] for some, n in walked if some[n].text == 'co_await']
    for some, n in walked:
        token = some[n]
        body = lambda_end(some, n) if is_lambda(some, n) else None
        if body is not None and token.children and body + 1 < len(some) \
                and some[body + 1].text == '(' and not awaits and is_coroutine(some[body]):
            yield token.line, 'dangling'
        if token.text == 'co_spawn' and n + 1 < len(some) and holds_await(some[n + 1]):
            yield token.line, 'co_spawn'
    if not awaits:
        return
    if len(awaits) > 1:
        yield awaits[1].line, 'two'
    behind = list(after_operator(statement.tokens, ('&&', '||', 'and', 'or'), (',', '=', ';', ':')))
    for token in behind:
        yield token.line, 'short-circuit'
    if statement.is_head and not behind and not {'=', ':'} & {
            some[n].text for some, n in walked}:
        yield awaits[0].line, 'condition'
    for some, n in walked:
        token = some[n]
        before = some[n - 1] if n else None
        if re.fullmatch(r'[A-Z][A-Z0-9_]{2,}|assert', token.text) \
                and n + 1 < len(some) and holds_await(some[n + 1]):
            yield token.line, 'macro'
        if token.text == '?':
            yield token.line, 'conditional'
        if token.text == '{' and (is_temporary(before) or holds_await(token)):
            yield token.line, 'braces'
        if is_lambda(some, n) and lambda_end(some, n) is not None and by_value(token):
            yield token.line, 'capture'
    words = [token.text for token in statement.tokens if token.text != 'const']
    if words[:1] == ['auto'] and '[' in words[:4] and {'use_tuple', 'as_tuple', 'all'} & {
            some[n].text for some, n in walked}:
        yield statement.tokens[0].line, 'tuple'


def is_temporary(before):
    """Whether a brace after this token makes an object of a class that may have to clean up."""
    if before is None:
        return False
    return before.text == '>' or before.kind == 'word' and before.text not in TRIVIAL and \
        before.text not in ('return', 'co_return', 'co_await')


def is_coroutine(body):
    return any(some[n].text in ('co_await', 'co_return', 'co_yield')
               for statement in statements(body.children) for some, n in statement.walk())


def findings(source):
    """(line, rule), each once, in order."""
    return sorted({found for statement in statements(tokens(source))
                   for found in found_in_statement(statement)})


def check_samples(path):
    source = pathlib.Path(path).read_text()
    promised = sorted((number, rule) for number, line in enumerate(source.splitlines(), 1)
                      for rule in re.findall(r'// wrong: (.*)', line)
                      for rule in rule.split(', '))
    found = findings(source)
    wrong = [f'{path}:{line}: not found: {rule}'
             for line, rule in promised if (line, rule) not in found]
    wrong += [f'{path}:{line}: found without reason: {rule}'
              for line, rule in found if (line, rule) not in promised]
    missing = set(RULES) - {rule for _, rule in promised}
    wrong += [f'{path}: no sample for the rule {rule}' for rule in sorted(missing)]
    return wrong


def sources(path):
    """The file itself, or all C++ files in the folder, but for hidden ones."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob('*') if SOURCES.fullmatch(each.suffix) and
                  each.is_file() and not any(part.startswith('.') for part in
                                             each.relative_to(path).parts))


def check_paths(names):
    wrong = []
    for path in [each for name in names for each in sources(pathlib.Path(name))]:
        try:
            text = path.read_text(errors='replace')
        except OSError as error:
            wrong.append(f'{path}: {error.strerror}')
            continue
        wrong += [f'{path}:{line}: {RULES[rule]}' for line, rule in findings(text)]
    return wrong


def check_everything():
    from documents import all_blocks
    wrong = []
    for folder in ('include', 'tests', 'examples', 'benchmarks'):
        for path in sorted((ROOT / folder).rglob('*.[chi]pp')):
            if not path.name.startswith('coroutine_'):
                wrong += [f'{path.relative_to(ROOT)}:{line}: {RULES[rule]}'
                          for line, rule in findings(path.read_text())]
    for block in all_blocks():
        if block.language.startswith('cpp') and not block.mark.startswith(('wrong', 'refused')):
            wrong += [f'{block.document.relative_to(ROOT)}:{block.line + line - 1}: {RULES[rule]}'
                      for line, rule in findings(block.text)]
    return wrong


def main():
    if sys.argv[1:2] == ['--samples']:
        wrong = check_samples(sys.argv[2])
    elif sys.argv[1:] in (['-h'], ['--help']):
        print(__doc__.strip())
        return
    elif sys.argv[1:]:
        wrong = check_paths(sys.argv[1:])
    elif (ROOT / 'tests/structure/coroutines.py').exists():
        wrong = check_everything()
    else:
        sys.exit(__doc__.strip())
    sys.exit('\n'.join(wrong) or None)


if __name__ == '__main__':
    main()
