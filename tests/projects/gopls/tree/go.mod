module example.org/weather

go 1.19
