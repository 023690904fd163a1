module ksr.dev/scenario

go 1.23

require ksr.dev/ksr v0.1.0

replace ksr.dev/ksr => ../../../../../bindings/go
