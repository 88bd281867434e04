int use(void);
int both = 1;
int b(void) { return use(); }
