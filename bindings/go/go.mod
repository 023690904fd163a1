module ksr.dev/ksr

go 1.23
