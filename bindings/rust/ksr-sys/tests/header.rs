//! The installed header says the same as lib.rs: each function with its parameters, each constant with its value.

use std::collections::BTreeMap;

const BINDING: &str = include_str!("../src/lib.rs");

fn header() -> String {
    let path = env!("KSR_SYS_HEADER");
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    without_comments(&text)
}

fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, comment)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = comment.split_once("*/").expect("a comment ends").1;
    }
    kept + rest
}

/// One blank between words, none around marks.
fn squeezed(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        if out.ends_with(joins) && word.starts_with(joins) {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// `const char *` is `*const c_char`; the type of a parameter also without its name.
fn rust_type(c: &str) -> String {
    let c = squeezed(c);
    if let Some(target) = c.strip_suffix('*') {
        return match target.strip_prefix("const ") {
            Some(constant) if !constant.ends_with('*') => format!("*const {}", rust_type(constant)),
            _ => format!("*mut {}", rust_type(target)),
        };
    }
    let plain = match c.as_str() {
        "char" => "c_char",
        "int" => "c_int",
        "void" => "c_void",
        "double" => "f64",
        "size_t" => "usize",
        "int32_t" => "i32",
        "int64_t" => "i64",
        "uint32_t" => "u32",
        "uint64_t" => "u64",
        own if own.starts_with("ksr_") => own,
        other => panic!("a type this test does not know: {other:?}"),
    };
    plain.to_owned()
}

fn split_name(parameter: &str) -> (&str, &str) {
    let parameter = parameter.trim();
    let start = parameter.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).expect("a type and a name") + 1;
    (&parameter[..start], &parameter[start..])
}

fn functions_of_header(header: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for declaration in header.split("\nKSR_API ").skip(1) {
        let declaration = declaration.split_once(';').expect("a declaration ends").0;
        let (head, parameters) = declaration.split_once('(').expect("a function");
        let (result, name) = split_name(head);
        let parameters = parameters.trim_end().strip_suffix(')').expect("the end of the parameters");
        let mut rust = Vec::new();
        for parameter in parameters.split(',').filter(|text| text.trim() != "void") {
            let (kind, name) = split_name(parameter);
            rust.push(format!("{name}: {}", rust_type(kind)));
        }
        let result = if result.trim() == "void" { String::new() } else { format!(" -> {}", rust_type(result)) };
        found.insert(name.to_owned(), format!("({}){result}", rust.join(", ")));
    }
    found
}

fn functions_of_binding() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for declaration in BINDING.split("pub fn ").skip(1) {
        let declaration = declaration.split_once(';').expect("a declaration ends").0;
        let (name, rest) = declaration.split_once('(').expect("a function");
        let (parameters, result) = rest.split_once(')').expect("the end of the parameters");
        let parameters: Vec<_> = parameters.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
        found.insert(name.to_owned(), format!("({}){result}", parameters.join(", ")));
    }
    found
}

#[test]
fn functions_are_those_of_the_header() {
    let (wanted, got) = (functions_of_header(&header()), functions_of_binding());
    assert!(wanted.len() > 30, "{} functions are found in the header", wanted.len());
    assert_eq!(wanted, got);
}

#[test]
fn callbacks_are_those_of_the_header() {
    let mut found = 0;
    let header = header();
    for definition in header.split("typedef ").skip(1).filter(|definition| {
        let head = definition.split_once(';').expect("a definition ends").0;
        head.contains("(*")
    }) {
        let (result, rest) = definition.split_once("(*").expect("a callback");
        let result = match result.trim() {
            "void" => String::new(),
            other => format!(" -> {}", rust_type(other)),
        };
        let (name, rest) = rest.split_once(')').expect("a name");
        let parameters = rest.split_once(");").expect("the end").0.trim_start().trim_start_matches('(');
        let types: Vec<_> = parameters.split(',').map(|text| rust_type(split_name(text).0)).collect();
        let line = format!("pub type {name} = Option<unsafe extern \"C\" fn({}){result}>;", types.join(", "));
        assert!(squeezed(BINDING).contains(&squeezed(&line)), "lib.rs lacks: {line}");
        found += 1;
    }
    assert_eq!(found, BINDING.matches("unsafe extern \"C\" fn(").count());
}

fn number(text: &str) -> i64 {
    let text = text.trim();
    let parsed = match text.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn constants_are_those_of_the_header() {
    let mut wanted = BTreeMap::new();
    let header = header();
    for group in header.split("enum {").skip(1) {
        for entry in group.split_once('}').expect("the end of an enum").0.split(',') {
            let (name, value) = entry.split_once('=').expect("a name and a value");
            wanted.insert(name.trim().to_owned(), number(value));
        }
    }
    let version = header.split("#define KSR_VERSION ").nth(1).expect("KSR_VERSION").lines().next();
    wanted.insert("KSR_VERSION".to_owned(), number(version.expect("a value")));
    let mut got = BTreeMap::new();
    for definition in BINDING.split("pub const ").skip(1) {
        let definition = definition.split_once(';').expect("a definition ends").0;
        let (name, rest) = definition.split_once(':').expect("a type");
        got.insert(name.to_owned(), number(rest.split_once('=').expect("a value").1));
    }
    assert!(wanted.len() > 30);
    assert_eq!(wanted, got);
}

#[test]
fn the_loaded_library_serves_this_header() {
    // SAFETY: needs nothing.
    let loaded = unsafe { ksr_sys::ksr_version() };
    assert!(loaded >= ksr_sys::KSR_VERSION && loaded >> 16 == ksr_sys::KSR_VERSION >> 16, "{loaded:#08x}");
}
